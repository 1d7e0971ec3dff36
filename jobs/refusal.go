package jobs

import "github.com/resetd/resetd/schemas"

// Refusal tells why an account of some class is not to be touched on a system, whoever asks; nil if nothing keeps it from
// being reset. The error is a *schemas.Failure with protected or not_applicable.
func (s *Service) Refusal(system string, c schemas.Class) error { return s.refuse(system, c) }
