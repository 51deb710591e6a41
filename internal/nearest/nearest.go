// Package nearest finds the name that a user probably meant.
package nearest

import (
	"strings"

	"github.com/agext/levenshtein"
)

// Name returns the known name closest to given, ignoring case. It reports
// false when none is close enough to be a typing mistake: more than a third of
// the longer name's letters would have to change.
func Name(given string, known []string) (string, bool) {
	const enough = 2.0 / 3
	best, bestName := 0.0, ""
	for _, name := range known {
		if s := levenshtein.Similarity(strings.ToLower(given), strings.ToLower(name), nil); s > best {
			best, bestName = s, name
		}
	}
	return bestName, best >= enough
}
