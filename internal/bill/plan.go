// Package bill works out what a month costs under a load, from a plan of what
// bills and a table of prices. It knows nothing of templates and uses the
// standard library alone, so the same model runs in the command and, compiled to
// WebAssembly, in the page that the command writes.
//
// # Load
//
// A load of r requests a second, for h hours a day, is r × 3600 × h × 730/24
// requests a month: a month has 730 hours. What a plan starts with is on all
// day; requests, and the copies that are added for them, follow h.
//
// # How many
//
// A copy of the app has v vCPU and is kept at a utilization of u by the plan's
// own scaling policy. A request takes c seconds of CPU and waits w seconds for
// others. A copy takes at most k requests at once. Then
//
//	copies = max(least, ceil(r × c / (v × u)), ceil(r × (c+w) / k))
//
// where least is what the plan starts with. More copies than the plan allows
// are priced, and [Estimate.Beyond] says that the load is beyond it.
//
// # Rounding
//
// Each line is rounded to the cent, and the total is the sum of the lines.
// Comparisons ([Cheapest], [Crossings]) use the bill before it is rounded.
package bill

// HoursPerMonth is 365 × 24 / 12.
const HoursPerMonth = 730

// Usage is the assumed load.
type Usage struct {
	Profile           string  // idle, small, medium, large or custom
	RequestsPerSecond float64 // while there is load
	CPUMillis         float64 // CPU time of a request on a full core, in milliseconds
	WaitMillis        float64 // time a request waits for others, in milliseconds
	RequestKB         float64 // size of a request's body, in kB of 1000 bytes
	ResponseKB        float64 // size of a response's body, in kB of 1000 bytes
	HoursPerDay       float64 // with load, 0 to 24

	// How often a request reads a note, writes one, and lists them all. By
	// default it reads one, as GET /notes/{key} does. The app's front page lists
	// them once, which S3 bills at 12.5 times the price (both tested in app/).
	Reads, Writes, Lists float64

	// RequestsPerConnection is how many requests a client sends before it closes
	// its connection, 1 or more.
	RequestsPerConnection float64

	// LogBytes is what the app itself logs of a request. By default it is the
	// sample app's line (tested in app/).
	LogBytes float64

	// ComputeDiscount is what is taken off instances, Fargate and Lambda
	// duration, such as 0.3 for a Savings Plan of 30 %. 0 is on demand.
	ComputeDiscount float64
}

// Profiles returns the loads that have a name, the smallest first: 5 ms of CPU,
// 2 kB of a response, a read of S3 and a line of the log a request, ten requests
// a connection, all day.
func Profiles() []Usage {
	at := func(name string, rps float64) Usage {
		return Usage{
			Profile: name, RequestsPerSecond: rps, CPUMillis: 5, ResponseKB: 2, HoursPerDay: 24,
			Reads: 1, RequestsPerConnection: 10, LogBytes: 180,
		}
	}
	return []Usage{at("idle", 0), at("small", 1), at("medium", 50), at("large", 1000)}
}

// Requests is how many requests a month has.
func (u Usage) Requests() float64 { return u.RequestsPerSecond * 3600 * u.LoadedHours() }

// LoadedHours is how many hours of a month have load.
func (u Usage) LoadedHours() float64 { return HoursPerMonth * u.HoursPerDay / 24 }

// CPU is how many vCPU the load keeps busy.
func (u Usage) CPU() float64 { return u.RequestsPerSecond * u.CPUMillis / 1000 }

// A Plan is what of a deployment bills. It is plain data: JSON keeps all of it.
type Plan struct {
	ID       string
	Charges  []Charge
	Capacity []Capacity // what is added under load; a charge refers to it by index
	Limits   Limits
	Unpriced []string // what bills and has no price here, by name
	Remarks  []string // what a reader of the bill has to know under any load
	// NotesLeave says that the app runs outside AWS: its answers cost nothing
	// there, and each note that it reads, taken to be as large as a response,
	// leaves AWS.
	NotesLeave bool

	// LogBytes is what the platform logs of a request beside the app.
	LogBytes float64

	Warnings []string // what the plan does not say, so that the bill is a guess; with load only
}

// A Charge bills quantity × driver × price.
type Charge struct {
	Item     string // what it is, for people
	Key      string // of the table of prices
	Driver   Driver
	Quantity float64 // for each unit of the driver
	Of       int     // the capacity that the driver counts
	Resource string  // logical id, or what makes it outside the template
	Source   string  // template, or catalog for what AWS makes beside it
	ShareOf  string  // the key whose price this one is a share of, or ""

	// Everyone says that each deployment pays it alike, so that it decides
	// nothing.
	Everyone bool
}

// A Driver is what makes a charge grow.
type Driver string

// The drivers, each a number for a month.
const (
	Month         Driver = "month"         // 1
	CopyHours     Driver = "copyHours"     // hours of all copies
	ActiveHours   Driver = "activeHours"   // hours of copies that work on requests, as App Runner counts them
	Copies        Driver = "copies"        // how many copies run on average
	HostHours     Driver = "hostHours"     // hours of all instances
	Hosts         Driver = "hosts"         // how many instances run on average
	SurplusHours  Driver = "surplusHours"  // vCPU-hours above what burstable instances earn
	Requests      Driver = "requests"      // requests
	BilledSeconds Driver = "billedSeconds" // of a function's invocations
	OutGB         Driver = "outGB"         // data out to the internet, in the first tier above 100 GB
	OutGB10       Driver = "outGB10"       // the part above 10 TB
	OutGB50       Driver = "outGB50"       // the part above 50 TB
	OutGB150      Driver = "outGB150"      // the part above 150 TB
	LCUHours      Driver = "lcuHours"      // of a load balancer
	Connections   Driver = "connections"   // that clients open
	Reads         Driver = "reads"         // of notes
	Writes        Driver = "writes"        // of notes
	Lists         Driver = "lists"         // of notes
	LogGB         Driver = "logGB"         // that the app and its platform log of requests
)

// A Capacity is what runs the app: tasks, pods, instances of App Runner or a
// function.
type Capacity struct {
	Name        string  // what is added, in the plural
	Least, Most int     // copies; 0 for a function, which starts one a request
	VCPU        float64 // of a copy, as its scaling policy measures
	Utilization float64 // of VCPU, at which a copy is added; 0 when nothing says
	AtOnce      float64 // requests that a copy takes at the same time, 0 for no bound

	Host     *Host     // what copies run on, nil when the platform's hosts are not yours
	Function *Function // nil when it is no function
}

// A Host is an instance that copies run on.
type Host struct {
	Name         string  // what is added, in the plural
	Least, Most  int     // instances
	VCPU, MiB    float64 // of the instance, for copies, after what the system takes
	Places       float64 // pods that fit, after those of each node; 0 for no bound
	CopyVCPU     float64 // what a copy reserves
	CopyMiB      float64
	SystemVCPU   float64 // what the cluster's own pods reserve, once
	SystemMiB    float64
	SystemPlaces float64
	EarnedVCPU   float64 // vCPU whose use is paid for by CPU credits; 0 when not burstable
}

// A Function is what Lambda bills by duration.
type Function struct {
	MiB         float64
	Concurrency float64 // requests at once: reserved, or the quota of an account
}

// Limits is what a deployment takes of one request. 0 is no limit.
type Limits struct {
	RequestKB, ResponseKB float64
	Seconds               float64 // a request that takes longer is cut off
	SecondsBy             string  // by whom
}
