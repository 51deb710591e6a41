//go:build js && wasm

// This program is the model of costs inside the page: it answers the questions
// that the page's script asks.
package main

import (
	"encoding/json"
	"syscall/js"

	"refdeploy/internal/bill"
	"refdeploy/internal/report/page/answer"
)

// The script sets refdeployStart and waits until it is called with a function
// that takes a question's name and its JSON, and returns the answer's.
func main() {
	var comparison *answer.Comparison
	js.Global().Call("refdeployStart", js.FuncOf(func(_ js.Value, args []js.Value) any {
		name, data := args[0].String(), []byte(args[1].String())
		if name == "load" {
			var input struct {
				Deployments []answer.Deployment
				Prices      bill.Prices
			}
			err := json.Unmarshal(data, &input)
			if err == nil {
				comparison, err = answer.New(input.Deployments, input.Prices)
			}
			return reply(nil, err)
		}
		var question answer.Question
		if err := json.Unmarshal(data, &question); err != nil {
			return reply(nil, err)
		}
		switch name {
		case "rank":
			return reply(comparison.Rank(question), nil)
		case "over":
			return reply(comparison.OverLoad(question), nil)
		case "changes":
			return reply(comparison.Changes(question), nil)
		case "total":
			return reply(comparison.Total(question.Bills[0], question.Usage), nil)
		}
		panic("unknown question " + name)
	}))
	select {}
}

func reply(value any, err error) string {
	answer := struct {
		Answer any
		Error  string `json:",omitempty"`
	}{Answer: value}
	if err != nil {
		answer.Error = err.Error()
	}
	data, err := json.Marshal(answer)
	if err != nil {
		panic(err)
	}
	return string(data)
}
