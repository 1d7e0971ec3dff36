package handlers

// TableRow is a line of the route table, for the test that holds openapi.yaml against it.
type TableRow struct {
	Method, Path string
	Need         Role
}

// Table gives the route table.
func (f *Face) Table() []TableRow {
	var out []TableRow
	for _, r := range f.routes() {
		out = append(out, TableRow{r.method, r.path, r.need})
	}
	return out
}
