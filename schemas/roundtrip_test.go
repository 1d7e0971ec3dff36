package schemas

import (
	"math/rand/v2"
	"reflect"
	"testing"
	"time"
)

// fill sets every exported field of a value at random: a field that is added later is filled too, and fails the test if
// it does not survive. Slices are nil or full, because the wire does not tell nil from empty; times are UTC.
func fill(rnd *rand.Rand, v reflect.Value) {
	if at, ok := v.Addr().Interface().(*time.Time); ok {
		if rnd.IntN(4) > 0 {
			*at = time.Unix(rnd.Int64N(4e9), rnd.Int64N(1e9)).UTC()
		}
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			fill(rnd, v.Field(i))
		}
	case reflect.Pointer:
		if rnd.IntN(3) > 0 {
			v.Set(reflect.New(v.Type().Elem()))
			fill(rnd, v.Elem())
		}
	case reflect.Slice:
		if n := rnd.IntN(4); n > 0 {
			v.Set(reflect.MakeSlice(v.Type(), n, n))
			for i := range n {
				fill(rnd, v.Index(i))
			}
		}
	case reflect.String:
		v.SetString(randomText(rnd))
	case reflect.Bool:
		v.SetBool(rnd.IntN(2) == 0)
	case reflect.Int, reflect.Int64:
		if rnd.IntN(4) > 0 {
			v.SetInt(rnd.Int64() - rnd.Int64())
		}
	default:
		panic("this kind of field is not filled yet: " + v.Type().String())
	}
}

func randomText(rnd *rand.Rand) string {
	letters := []rune("aZ09 _-\"\\/<>&\n\t\x00\x1f\x7f\u2028\u202eäß山😀")
	out := make([]rune, rnd.IntN(12))
	for i := range out {
		out[i] = letters[rnd.IntN(len(letters))]
	}
	return string(out)
}

// checkLossless writes n random values of a type and reads them back.
func checkLossless[T any](t *testing.T, n uint64, settle func(*T)) {
	t.Helper()
	for seed := range n {
		var want, got T
		fill(rand.New(rand.NewPCG(seed, 2)), reflect.ValueOf(&want).Elem())
		settle(&want)
		text := encode(t, want)
		if p := Decode([]byte(text), &got); p != nil {
			t.Fatalf("seed %d: %s: %+v", seed, text, p)
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("seed %d: it comes back another:\n%s\n%s", seed, text, encode(t, got))
		}
	}
}

// settle takes out the two things that the wire does not tell apart.
func settleRequest(r *Request) {
	if r.Callback != nil && r.Callback.URL == "" && r.Callback.Events == nil {
		r.Callback = nil // an empty callback asks for what no callback asks for
	}
}

func settlePlan(p *CallbackPlan) {
	if p != nil && p.Events == nil {
		p.Events = []string{}
	}
}

func TestEventsSurviveJSON(t *testing.T) {
	checkLossless(t, 1000, func(e *Event) {
		if a := e.Accepted; a != nil {
			settleRequest(&a.Request)
			settlePlan(a.Callback)
			if a.Systems == nil {
				a.Systems = []string{}
			}
		}
	})
}

func TestTasksSurviveJSON(t *testing.T) {
	checkLossless(t, 1000, func(task *Task) {
		settleRequest(&task.Request)
		settlePlan(task.Callback)
		if task.Enforcements == nil {
			task.Enforcements = []Enforcement{}
		}
	})
}

func TestCallbacksSurviveJSON(t *testing.T) {
	checkLossless(t, 500, func(*Callback) {})
}

// The ledger keeps events and folds them again: what was read back must fold to the same task, version by version.
func TestEventsReadBackFoldToTheSameTask(t *testing.T) {
	for seed := range uint64(100) {
		versions, events := randomLife(t, rand.New(rand.NewPCG(seed, 3)))
		task := Task{}
		for i, e := range events {
			var back Event
			if p := Decode([]byte(encode(t, e)), &back); p != nil {
				t.Fatal(p)
			}
			task = apply(t, task, back)
			if want := versions[i+1].encoded; encode(t, task) != want {
				t.Fatalf("seed %d, version %d:\n%s\n%s", seed, i+1, encode(t, task), want)
			}
		}
	}
}
