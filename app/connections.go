package main

import (
	"net"
	"net/http"
	"sync/atomic"

	"refdeploy/app/contract"
)

// connections counts those that are open.
type connections struct{ open atomic.Int64 }

func (c *connections) count(_ net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		c.open.Add(1)
	case http.StateHijacked, http.StateClosed:
		c.open.Add(-1)
	}
}

// closeIdle lets no more than half of the connections stay open after an
// answer. A load balancer keeps those of a burst for a minute, and its health
// checks, which come on new ones, would wait as long.
func (c *connections) closeIdle(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c.open.Load() > contract.MaxConnections/2 {
			w.Header().Set("Connection", "close")
		}
		next.ServeHTTP(w, r)
	})
}
