// Command collector asks every gauge for its readings once a minute.
package main

import (
	"context"
	"fmt"
	"time"
)

// Gauge is one place at the river that answers questions.
type Gauge interface {
	ID() string
	Read(ctx context.Context) (probeCm, headCm float64, err error)
}

// pollOnce never lets one silent gauge hold up the others: each has eight seconds.
func pollOnce(parent context.Context, gauges []Gauge) {
	for _, gauge := range gauges {
		ctx, cancel := context.WithTimeout(parent, 8*time.Second)
		probe, head, err := gauge.Read(ctx)
		cancel()
		if err != nil {
			fmt.Printf("WARN  collector %s silent: %v\n", gauge.ID(), err)
			continue
		}
		fmt.Printf("INFO  collector %s probe=%.0f head=%.0f\n", gauge.ID(), probe, head)
	}
}

func main() {
	pollOnce(context.Background(), nil)
}
