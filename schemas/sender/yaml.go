package sender

// UnmarshalYAML reads a list of expressions, or one without a list.
func (e *Expressions) UnmarshalYAML(read func(any) error) error {
	var one string
	if read(&one) == nil {
		*e = Expressions{one}
		return nil
	}
	var list []string
	if err := read(&list); err != nil {
		return err
	}
	*e = list
	return nil
}
