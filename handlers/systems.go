package handlers

import (
	"errors"
	"net/http"
	"time"

	"github.com/resetd/resetd/schemas"
)

// maxCheck is how long a check may hold a connection, beside what every call may.
const maxCheck = 30 * time.Second

// systems lists the IAM systems.
func (f *Face) systems(c *call) error {
	if err := readQuery(c.Request).check(); err != nil {
		return err
	}
	list, err := f.Systems.Systems(c.Request.Context())
	if err != nil {
		return err
	}
	return c.answer(http.StatusOK, schemas.SystemList{Systems: list})
}

// system shows one system, with the history of its permission.
func (f *Face) system(c *call) error {
	if err := readQuery(c.Request).check(); err != nil {
		return err
	}
	name, err := c.name()
	if err != nil {
		return err
	}
	s, err := f.Systems.System(c.Request.Context(), name)
	return c.showSystem(s, err)
}

// check asks a system now.
func (f *Face) check(c *call) error {
	if err := readQuery(c.Request).check(); err != nil {
		return err
	}
	name, err := c.name()
	if err != nil {
		return err
	}
	if err := f.pace.let(c.caller); err != nil {
		return err
	}
	c.extend(maxCheck)
	got, err := f.Systems.Check(c.Request.Context(), name)
	if err != nil {
		return unknownSystem(err)
	}
	return c.answer(http.StatusOK, got)
}

// permit grants or withdraws the policy enforcement permission. Whoever may ask for resets may also stop them, at once
// and on all accounts of a system; to let them through is a setting, and takes an admin.
func (f *Face) permit(c *call) error {
	if err := readQuery(c.Request).check(); err != nil {
		return err
	}
	name, err := c.name()
	if err != nil {
		return err
	}
	body, err := c.readBody()
	if err != nil {
		return err
	}
	var r schemas.PermissionRequest
	if p := schemas.Decode(body, &r); p != nil {
		return p
	}
	if p := f.Validator.Check(&r); p != nil {
		return p
	}
	decision := schemas.DecisionNotGranted
	if r.Permission == schemas.PermissionGranted {
		if err := c.atLeast(Admin, "granting; the role operator may withdraw"); err != nil {
			return err
		}
		decision = schemas.DecisionGranted
	}
	s, err := f.Permissions.Permit(c.Request.Context(), name, decision, c.caller, r.Reason)
	return c.showSystem(s, err)
}

// takeBack ends what was decided about the permission at run time: the configuration counts again.
func (f *Face) takeBack(c *call) error {
	q := readQuery(c.Request, "reason")
	reason := q.text("reason", schemas.MaxReason)
	if err := q.check(); err != nil {
		return err
	}
	name, err := c.name()
	if err != nil {
		return err
	}
	s, err := f.Permissions.Permit(c.Request.Context(), name, schemas.DecisionConfigured, c.caller, reason)
	return c.showSystem(s, err)
}

func (c *call) showSystem(s schemas.System, err error) error {
	if err != nil {
		return unknownSystem(err)
	}
	return c.answer(http.StatusOK, s)
}

// name gives the name of a system in the path.
func (c *call) name() (string, error) {
	name := c.Param("name")
	if !schemas.NameForm.MatchString(name) {
		return "", unknownSystem(schemas.ErrNotFound)
	}
	return name, nil
}

// unknownSystem makes the problem of a system that does not exist; other errors stay as they are.
func unknownSystem(err error) error {
	if !errors.Is(err, schemas.ErrNotFound) {
		return err
	}
	return schemas.NewProblem(http.StatusNotFound, "unknown_system", "There is no system of this name",
		"GET /v1/systems lists those of the configuration.")
}

// extend lets the answer take longer than the server's own time-out, which is made for short calls. Where there is no
// connection, as in tests, there is none to extend.
func (c *call) extend(d time.Duration) {
	_ = http.NewResponseController(c.Writer).SetWriteDeadline(time.Now().Add(d + WriteTimeout))
}
