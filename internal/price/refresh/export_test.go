package refresh

import "time"

// SetStall changes how long a download may stand still, and returns what was.
func SetStall(d time.Duration) time.Duration {
	before := stall
	stall = d
	return before
}
