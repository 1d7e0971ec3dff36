package main

import (
	"context"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// watch reads the ledger again and again, until close.
func (p *permissions) watch(ctx context.Context) {
	ctx, p.stop = context.WithCancel(context.WithoutCancel(ctx))
	p.done = make(chan struct{})
	go func() {
		defer close(p.done)
		tick := time.NewTicker(permissionPoll)
		defer tick.Stop()
		failing := false
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			err := p.refresh(ctx)
			if err != nil && !failing && ctx.Err() == nil {
				p.log.Warn().Err(err).Msg("cannot read the permissions of the systems from the ledger; what was known last counts until it can be read")
			}
			failing = err != nil
		}
	}()
}

func (p *permissions) refresh(ctx context.Context) error {
	p.asking.Lock()
	defer p.asking.Unlock()
	ctx, cancel := context.WithTimeout(ctx, permissionLimit)
	defer cancel()
	return p.read(ctx)
}

// close ends watch. It may be called without one.
func (p *permissions) close() {
	if p.stop != nil {
		p.stop()
		<-p.done
	}
}

// register makes the permissions visible to Prometheus.
func (p *permissions) register(reg prometheus.Registerer) error {
	for system := range p.configured {
		g := prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "resetd_system_permitted",
			Help:        "Whether resetd may change accounts on the system (the policy enforcement permission): 1 or 0.",
			ConstLabels: prometheus.Labels{"system": system}}, func() float64 {
			if p.permitted(system) {
				return 1
			}
			return 0
		})
		if err := reg.Register(g); err != nil {
			return fmt.Errorf("register metrics: %w", err)
		}
	}
	return nil
}
