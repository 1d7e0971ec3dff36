package connectors

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"strconv"
	"time"

	"github.com/rs/zerolog"

	"github.com/resetd/resetd/schemas"
)

// call makes one call of a connector: it waits for its turn, bounds the time, survives a panic, and turns whatever comes
// back into a result or a clean Failure. On failure the result is the zero value.
func call[T any](ctx context.Context, s *system, step string, do func(context.Context) (T, error)) (T, error) {
	return observed(ctx, s, step, func() (T, error) { return guarded(ctx, s, step, do) })
}

// observed leaves one log line and the metrics of a step behind.
func observed[T any](ctx context.Context, s *system, step string, do func() (T, error)) (T, error) {
	began := time.Now()
	out, err := do()
	code := schemas.CodeOK
	if err != nil {
		out = *new(T)
		code = schemas.CodeOf(err)
	} else if r, ok := any(out).(schemas.Receipt); ok {
		code = r.Code
	}
	took := time.Since(began)
	s.metrics.observe(s.Name, step, code, took)
	line := s.logger(ctx).WithLevel(levelOf(code)).Str("system", s.Name).Str("step", step).Str("code", string(code)).Dur("took", took)
	if f, ok := errors.AsType[*schemas.Failure](err); ok {
		line = line.Str("detail", f.Detail)
	}
	line.Msg("connector call")
	return out, err
}

// inPlace is how often a call is made again by itself after a pause that the system asked for. It said that it did nothing.
const inPlace = 2

func guarded[T any](ctx context.Context, s *system, step string, do func(context.Context) (T, error)) (out T, err error) {
	for again := 0; ; again++ {
		m, err := s.turn(ctx, step)
		if err != nil {
			return out, err
		}
		out, err = once(ctx, s, step, do)
		s.pace.ended(m, step, time.Now())
		if err == nil {
			s.heard(ctx, step, nil)
			return out, nil
		}
		f := err.(*schemas.Failure) //nolint:errorlint // once gives nothing else
		s.heard(ctx, step, f)
		if f.Code != schemas.CodeRateLimited || f.RetryAfter > patience || again == inPlace {
			return out, f
		}
		if end, ok := ctx.Deadline(); ok && time.Until(end) < f.RetryAfter {
			return out, f
		}
	}
}

// turn holds a call back until it may be made. Only a probe goes to a system that does not answer.
func (s *system) turn(ctx context.Context, step string) (mark, error) {
	gate := func() error {
		if step == stepProbe {
			return nil
		}
		if err := s.login.allow(s.options.Now(), s.Name); err != nil {
			return err
		}
		return s.breaker.allow(s.Name)
	}
	if err := gate(); err != nil {
		return mark{}, err
	}
	m, err := s.pace.wait(ctx, step == string(schemas.StepResolve))
	if err != nil {
		return mark{}, err
	}
	return m, gate() // it may have fallen silent meanwhile
}

// heard draws from the end of a call what it says about the system; nothing, if the caller gave up.
func (s *system) heard(ctx context.Context, step string, f *schemas.Failure) {
	code := schemas.CodeOK
	if f != nil {
		code = f.Code
	}
	s.forgetAfter(code)
	if ctx.Err() != nil {
		return
	}
	s.login.heard(s.options.Now(), f)
	s.breaker.heard(judge(step, code), f)
	s.pace.heard(f)
}

// once makes the call. Its error is a *schemas.Failure.
func once[T any](ctx context.Context, s *system, step string, do func(context.Context) (T, error)) (out T, err error) {
	bound, cancel := s.bound(ctx)
	defer cancel()
	defer func() {
		if p := recover(); p != nil {
			s.logPanic(ctx, step, p)
			err = schemas.Fail(schemas.CodeUnexpected, "the connector failed inside (a panic), and what it had done by then is not known; the log has the place; please report this")
		}
	}()
	out, err = do(bound)
	if err != nil {
		err = s.failure(ctx, bound, err)
	}
	return out, err
}

// failure makes a clean Failure of any error. The caller's context and the one of the call tell why a call ended early.
func (s *system) failure(caller, bound context.Context, err error) *schemas.Failure {
	f, _ := errors.AsType[*schemas.Failure](err)
	switch {
	case f != nil && f.Code.Valid() && !f.Code.OK():
		return &schemas.Failure{Code: f.Code, Detail: s.detail(f.Detail), RetryAfter: f.RetryAfter, Cause: s.redact.wrap(f.Cause)}
	case caller.Err() != nil:
		return schemas.Fail(schemas.CodeTimedOut, "the call was given up before there was an answer").Because(caller.Err())
	case bound.Err() != nil || errors.Is(err, context.DeadlineExceeded):
		return schemas.Fail(schemas.CodeTimedOut, "no answer within %s; raise timeout: of the system %s if that is too short",
			s.Timeout, s.Name).Because(context.DeadlineExceeded)
	}
	// The text of an error that no connector vouches for may quote anything, so only its type is told.
	return schemas.Fail(schemas.CodeUnexpected, "the connector gave an error without a code (%T); please report this", err).Because(s.redact.wrap(err))
}

// logger gives the logger in the context, or the one of the set.
func (s *system) logger(ctx context.Context) *zerolog.Logger {
	if l := zerolog.Ctx(ctx); l.GetLevel() != zerolog.Disabled {
		return l
	}
	return &s.options.Log
}

// logPanic writes where it happened. The functions' arguments are left out, and so is the text of the panic unless the
// runtime made it: both may hold a password.
func (s *system) logPanic(ctx context.Context, step string, p any) {
	what := fmt.Sprintf("%T", p)
	if r, ok := p.(runtime.Error); ok {
		what = s.detail(r.Error())
	}
	pcs := make([]uintptr, 64)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(3, pcs)])
	var stack []string
	for more := true; more; {
		var f runtime.Frame
		f, more = frames.Next()
		stack = append(stack, f.Function+" "+filepath.Base(f.File)+":"+strconv.Itoa(f.Line))
	}
	s.logger(ctx).Error().Str("system", s.Name).Str("step", step).Str("panic", what).Strs("stack", stack).Msg("connector panicked")
}

// levelOf gives how loud a code is: what an administrator must mend is a warning, what a programmer must mend an error.
func levelOf(c schemas.Code) zerolog.Level {
	switch c {
	case schemas.CodeOK, schemas.CodeAlreadyInForce, schemas.CodeUnsupported:
		return zerolog.DebugLevel
	case schemas.CodeUnexpected:
		return zerolog.ErrorLevel
	case schemas.CodeBadCredentials, schemas.CodePermissionMissing, schemas.CodeUnavailable, schemas.CodeTimedOut, schemas.CodeUnenforced:
		return zerolog.WarnLevel
	}
	return zerolog.InfoLevel
}
