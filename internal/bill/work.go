package bill

import (
	"fmt"
	"math"
)

const (
	// MiBPerVCPU is the memory for which Lambda gives a full vCPU (AWS Lambda
	// documentation, configuring function memory, read 2026-11-23).
	MiBPerVCPU = 1769

	// activeSeconds is how long App Runner bills an instance as active after it
	// began to work: a minute at least (AWS App Runner pricing, 2026-11-23).
	activeSeconds = 60

	// headerKB is what a response's headers add to its body (measured with the
	// app, 2026-11-23).
	headerKB = 0.4

	// eventBytes is what CloudWatch Logs adds to each event (Amazon CloudWatch
	// pricing, 2026-11-23).
	eventBytes = 26

	// A load balancer capacity unit takes 25 new connections a second, 3,000
	// active ones, or 1 GB an hour, whichever asks for most (AWS, Elastic Load
	// Balancing pricing, 2026-09-20). Rules bill from the eleventh on.
	lcuConnections = 25
	lcuActive      = 3000
	lcuGB          = 1

	// idleSeconds is how long a load balancer keeps a connection that is not used
	// (Application Load Balancer, connection idle timeout: 60 seconds).
	idleSeconds = 60

	// Data out to the internet is free up to 100 GB a month, and cheaper above
	// 10, 50 and 150 TB (Amazon EC2 pricing, data transfer).
	freeOutGB               = 100
	tier10, tier50, tier150 = 10_240, 51_200, 153_600
)

// work is what a load makes a plan do in a month.
type work struct {
	plan     *Plan
	usage    Usage
	requests float64
	run      [4]running // of each capacity, without an allocation for few
	more     []running
}

// running is how much of a capacity runs.
type running struct {
	copies, copyHours   float64 // under load; and hours a month
	hosts, hostHours    float64
	surplus, active     float64 // hours a month
	billed              float64 // seconds a month
	millis              float64 // of a function's invocation
	concurrent          float64 // requests at once, of all copies
	hostLeast, hostMost float64
}

func (m *Model) work(usage Usage) work {
	w := work{plan: &m.Plan, usage: usage, requests: usage.Requests()}
	for i := range m.Plan.Capacity {
		r := w.running(&m.Plan.Capacity[i])
		if i < len(w.run) {
			w.run[i] = r
		} else {
			w.more = append(w.more, r)
		}
	}
	return w
}

func (w *work) of(i int) *running {
	if i < len(w.run) {
		return &w.run[i]
	}
	return &w.more[i-len(w.run)]
}

// hours is how long n run in a month, of which least always do.
func (w *work) hours(least, n float64) float64 {
	return least*HoursPerMonth + (n-least)*w.usage.LoadedHours()
}

func (w *work) running(c *Capacity) running {
	u := w.usage
	if c.Function != nil {
		// CPU comes with memory, so less memory makes a request take longer.
		// Lambda bills by the millisecond, begun ones in full.
		millis := math.Ceil(u.CPUMillis/math.Min(1, c.Function.MiB/MiBPerVCPU) + u.WaitMillis - 1e-9)
		return running{millis: millis, billed: w.requests * millis / 1000, concurrent: u.RequestsPerSecond * millis / 1000}
	}
	least := float64(c.Least)
	r := running{copies: least}
	if w.requests > 0 {
		r.copies = math.Max(least, c.needed(u))
	}
	r.copyHours = w.hours(least, r.copies)
	if w.requests > 0 {
		r.active = r.copies * u.LoadedHours() * math.Min(1, u.RequestsPerSecond*activeSeconds)
	}
	if h := c.Host; h != nil {
		always := math.Max(h.needed(least), float64(h.Least))
		r.hosts = math.Max(h.needed(r.copies), always)
		r.hostHours = w.hours(always, r.hosts)
		if h.EarnedVCPU > 0 {
			r.surplus = math.Max(0, u.CPU()*u.LoadedHours()-r.hostHours*h.EarnedVCPU)
		}
	}
	return r
}

// needed is how many copies a load needs, 0 where the plan does not say.
func (c *Capacity) needed(u Usage) float64 {
	n := 0.0
	if c.VCPU > 0 && c.Utilization > 0 {
		n = math.Ceil(u.CPU()/(c.VCPU*c.Utilization) - 1e-9)
	}
	if c.AtOnce > 0 {
		n = math.Max(n, math.Ceil(u.RequestsPerSecond*c.seconds(u)/c.AtOnce-1e-9))
	}
	return n
}

// seconds is how long a request takes on a copy: less than a vCPU makes its own
// work slower, and waiting takes as long as it takes.
func (c *Capacity) seconds(u Usage) float64 {
	share := 1.0
	if c.VCPU > 0 && c.VCPU < 1 {
		share = c.VCPU
	}
	return (u.CPUMillis/share + u.WaitMillis) / 1000
}

// needed is how many instances hold so many copies, beside the cluster's own
// pods.
func (h *Host) needed(copies float64) float64 {
	n := 1.0
	for _, need := range [...]struct{ copy, system, have float64 }{
		{h.CopyVCPU, h.SystemVCPU, h.VCPU}, {h.CopyMiB, h.SystemMiB, h.MiB}, {1, h.SystemPlaces, h.Places},
	} {
		if need.have > 0 {
			// No copy lies on two instances.
			if need.system == 0 && need.copy > 0 {
				n = math.Max(n, math.Ceil(copies/math.Floor(need.have/need.copy+1e-9)))
			} else {
				n = math.Max(n, math.Ceil((copies*need.copy+need.system)/need.have-1e-9))
			}
		}
	}
	return n
}

// driver returns the number that a charge grows with.
func (w *work) driver(c Charge) float64 {
	u := w.usage
	switch c.Driver {
	case Month:
		return 1
	case CopyHours:
		return w.of(c.Of).copyHours
	case Copies:
		return w.of(c.Of).copyHours / HoursPerMonth
	case ActiveHours:
		return w.of(c.Of).active
	case HostHours:
		return w.of(c.Of).hostHours
	case Hosts:
		return w.of(c.Of).hostHours / HoursPerMonth
	case SurplusHours:
		return w.of(c.Of).surplus
	case BilledSeconds:
		return w.of(c.Of).billed
	case Requests:
		return w.requests
	case Reads:
		return w.requests * u.Reads
	case Writes:
		return w.requests * u.Writes
	case Lists:
		return w.requests * u.Lists
	case LogGB:
		return w.requests * w.plan.loggedBytes(u) / 1e9
	case Connections:
		return w.requests / math.Max(1, u.RequestsPerConnection)
	case OutGB:
		return between(w.outGB(), freeOutGB, tier10)
	case OutGB10:
		return between(w.outGB(), tier10, tier50)
	case OutGB50:
		return between(w.outGB(), tier50, tier150)
	case OutGB150:
		return between(w.outGB(), tier150, math.Inf(1))
	case LCUHours:
		if w.requests == 0 {
			return 0
		}
		opened := u.RequestsPerSecond / math.Max(1, u.RequestsPerConnection)
		seconds := math.Max(idleSeconds, (u.CPUMillis+u.WaitMillis)/1000)
		gb := u.RequestsPerSecond * 3600 * (u.RequestKB + u.ResponseKB + 2*headerKB) / 1e6
		return math.Max(math.Max(opened/lcuConnections, opened*seconds/lcuActive), gb/lcuGB) * u.LoadedHours()
	}
	panic("bill: unknown driver " + string(c.Driver))
}

func (w *work) outGB() float64 { return w.requests * w.plan.outKB(w.usage) / 1e6 }

// loggedBytes is what CloudWatch Logs takes in of a request.
func (p *Plan) loggedBytes(u Usage) float64 {
	if u.LogBytes > 0 {
		return p.LogBytes + u.LogBytes + eventBytes
	}
	return p.LogBytes
}

// outKB is what of a request leaves AWS.
func (p *Plan) outKB(u Usage) float64 {
	kB := u.ResponseKB + headerKB
	if p.NotesLeave {
		return kB * u.Reads
	}
	return kB
}

// between is how much of x lies between two bounds.
func between(x, low, high float64) float64 { return math.Max(0, math.Min(x, high)-low) }

// beyond says in what the load is more than the plan takes.
func (w *work) beyond() []string {
	var all []string
	say := func(format string, args ...any) { all = append(all, fmt.Sprintf(format, args...)) }
	u := w.usage
	if w.requests == 0 {
		return nil
	}
	limits := w.plan.Limits
	if limits.RequestKB > 0 && u.RequestKB > limits.RequestKB {
		say("a request of %g kB is refused; the limit is %.6g kB", u.RequestKB, limits.RequestKB)
	}
	if limits.ResponseKB > 0 && u.ResponseKB > limits.ResponseKB {
		say("a response of %g kB fails; the limit is %.6g kB", u.ResponseKB, limits.ResponseKB)
	}
	for i := range w.plan.Capacity {
		c, r := &w.plan.Capacity[i], w.of(i)
		if seconds := w.seconds(c, r); limits.Seconds > 0 && seconds > limits.Seconds {
			say("a request takes %.4g s; %s ends it after %g s", seconds, limits.SecondsBy, limits.Seconds)
		}
		if c.Function != nil {
			if r.concurrent > c.Function.Concurrency {
				say("the load needs %.0f requests at once; the quota is %.0f", math.Ceil(r.concurrent), c.Function.Concurrency)
			}
			if most := 10 * c.Function.Concurrency; u.RequestsPerSecond > most {
				say("the load is %g requests/s; Lambda takes %.0f with a concurrency of %.0f", u.RequestsPerSecond, most, c.Function.Concurrency)
			}
			continue
		}
		if r.copies > float64(c.Most) {
			say("the load needs %.0f %s; the template allows %d", r.copies, c.Name, c.Most)
		}
		if h := c.Host; h != nil && r.hosts > float64(h.Most) {
			say("the load needs %.0f %s; the template allows %d", r.hosts, h.Name, h.Most)
		}
	}
	return all
}

// isBeyond is whether beyond says anything, without saying it.
func (w *work) isBeyond() bool {
	if w.requests == 0 {
		return false
	}
	u, limits := w.usage, w.plan.Limits
	if limits.RequestKB > 0 && u.RequestKB > limits.RequestKB || limits.ResponseKB > 0 && u.ResponseKB > limits.ResponseKB {
		return true
	}
	for i := range w.plan.Capacity {
		c, r := &w.plan.Capacity[i], w.of(i)
		switch {
		case limits.Seconds > 0 && w.seconds(c, r) > limits.Seconds:
			return true
		case c.Function != nil:
			if r.concurrent > c.Function.Concurrency || u.RequestsPerSecond > 10*c.Function.Concurrency {
				return true
			}
		case r.copies > float64(c.Most), c.Host != nil && r.hosts > float64(c.Host.Most):
			return true
		}
	}
	return false
}

// seconds is how long one request takes.
func (w *work) seconds(c *Capacity, r *running) float64 {
	if c.Function != nil {
		return r.millis / 1000
	}
	return c.seconds(w.usage)
}
