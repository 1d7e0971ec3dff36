// Package config reads resetd's one configuration file: YAML, strict, and every mistake at once.
//
// # How it reads
//
// The file is parsed into a syntax tree by goccy/go-yaml and then walked by a small decoder of our own, because a
// library's decoder stops at the first mistake or loses its place. An unknown or doubled key, a wrong type, a missing
// or empty secret and a broken rule each become one [Fault] with line and column; [Load] gives all of them, in the
// order of the file. Anchors, aliases, merge keys and tags are refused: the file says what it means where it says it.
//
// # Secrets
//
// A secret is written as ${NAME} (an environment variable) or file:PATH (relative to the configuration file, line
// breaks at its end cut off). A literal secret is an error, so that the file can be kept in version control and shown
// to others. Any other text may hold ${NAME} as a part of it; $${ stands for a plain ${.
//
// # What the rest of resetd sees
//
// [Config] holds the values with their defaults filled in; secrets are schemas.Secret or signature.Key and print as
// redacted. The settings of a system are kept as [Raw], since only its kind knows their form. The package imports no
// connector, source or job: what exists there is handed in as [Known].
package config
