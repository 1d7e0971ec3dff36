package schemas

import "time"

// TaskQuery selects tasks, newest first. Empty fields select all.
type TaskQuery struct {
	Q      string    // part of the account's value, in any letter case
	Status Status    // the task's status
	System string    // a system that the task acts on
	Source string    // the source that asked
	From   time.Time // created at or after
	To     time.Time // created before
	Cursor string    // Next of the page before
	Limit  int       // 1 to MaxPage; zero is DefaultPage
}

// Bounds of a page.
const (
	DefaultPage = 50
	MaxPage     = 500
)

// TaskPage is one page of a search. Next is empty on the last one.
type TaskPage struct {
	Tasks []Task `json:"tasks"`
	Next  string `json:"next,omitempty"`
}

// CallbackQuery selects callbacks, newest first.
type CallbackQuery struct {
	State  CallbackState
	TaskID string
	Cursor string
	Limit  int
}

// CallbackPage is one page of callbacks, each with its attempts.
type CallbackPage struct {
	Callbacks []Callback `json:"callbacks"`
	Next      string     `json:"next,omitempty"`
}
