// Package apps names three apps that know nothing of this project, for the tests
// that put them in the place of the sample app.
package apps

import "slices"

// An App is a directory with a Dockerfile, and what a user says of it.
type App struct {
	Name string

	// Settings are context keys with their values, app among them.
	Settings map[string]string
}

// All returns the three. Together they use every setting that describes an app.
func All() []App {
	return []App{
		{Name: "python", Settings: map[string]string{
			"app": "tests/apps/python", "port": "8000", "healthPath": "/health", "bucket": "none",
			"env":     `"GREETING=Hello, you",LOG_LEVEL=info`,
			"secrets": "API_TOKEN=quotes/api-token",
		}},
		{Name: "node", Settings: map[string]string{
			"app": "tests/apps/node", "port": "3000", "healthPath": "/status", "cpu": "600", "memory": "1500", "env": "TITLE=Visits",
		}},
		{Name: "static", Settings: map[string]string{
			"app": "tests/apps/static", "port": "8081", "healthPath": "/", "bucket": "none",
		}},
	}
}

// Named returns the app of that name, and panics when there is none.
func Named(name string) App {
	for _, app := range All() {
		if app.Name == name {
			return app
		}
	}
	panic("apps: none is called " + name)
}

// KeyValues returns the settings as key, value, …, in the order of the keys.
func (a App) KeyValues() []string {
	var keys []string
	for key := range a.Settings {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	var all []string
	for _, key := range keys {
		all = append(all, key, a.Settings[key])
	}
	return all
}
