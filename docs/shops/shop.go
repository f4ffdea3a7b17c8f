// Places an order with the gateway and follows it to its end.
//
//	GATEWAY=http://127.0.0.1:8080 KEY=rk_... go run shop.go ORDER_ID PHONE YUAN
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"time"
)

// Order is what is sent.
type Order struct {
	OrderID string `json:"order_id"`
	Kind    string `json:"kind"`
	Account string `json:"account"`
	Amount  string `json:"amount"`
}

// Answer is what of an order, or of a problem, is looked at here.
type Answer struct {
	OrderID string `json:"order_id"`
	State   string `json:"state"`
	Detail  string `json:"detail"`
	Advice  string `json:"advice"`
}

const (
	// Of one call, a second apart. Later, run it again with the same order id: it is the same order.
	tries = 30
	// Until an order that has not ended is left to webhooks, or to a later look.
	patience = 10 * time.Minute
)

var client = http.Client{Timeout: 30 * time.Second}

// giveUp says why, and ends.
func giveUp(what string) {
	fmt.Fprintln(os.Stderr, what)
	os.Exit(1)
}

func said(answer Answer) string {
	return fmt.Sprintf("%s (%s)", answer.Detail, answer.Advice)
}

// call answers the status, or 0 and why if no whole answer came.
func call(method, path string, body []byte) (int, Answer) {
	var answer Answer
	request, err := http.NewRequest(method, os.Getenv("GATEWAY")+path, bytes.NewReader(body))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	request.Header.Set("Authorization", "Bearer "+os.Getenv("KEY"))
	request.Header.Set("Content-Type", "application/json")
	response, err := client.Do(request)
	if err != nil {
		return 0, Answer{Detail: "no answer: " + err.Error(), Advice: "look at GATEWAY, and whether it runs"}
	}
	defer response.Body.Close()
	if json.NewDecoder(response.Body).Decode(&answer) != nil {
		// Broken off, or a proxy's own words.
		answer = Answer{Detail: "the answer was " + response.Status + ", without JSON", Advice: "look at GATEWAY"}
		if response.StatusCode < 400 {
			return 0, answer
		}
	}
	return response.StatusCode, answer
}

// certainly asks until there is an answer. An order may be sent again: it is the same order.
func certainly(method, path string, body []byte) (int, Answer) {
	var status int
	var answer Answer
	for try := 0; try < tries; try++ {
		status, answer = call(method, path, body)
		if status != 0 && status != 429 && status < 500 {
			return status, answer
		}
		fmt.Fprintln(os.Stderr, "asking again: "+said(answer))
		time.Sleep(time.Second)
	}
	giveUp("given up for now: " + said(answer) + ". Nobody knows whether the order was taken: run this again with the same order id")
	return status, answer
}

func main() {
	if len(os.Args) != 4 || os.Getenv("GATEWAY") == "" || os.Getenv("KEY") == "" {
		fmt.Fprintln(os.Stderr, "GATEWAY=http://127.0.0.1:8080 KEY=rk_... go run shop.go ORDER_ID PHONE YUAN")
		os.Exit(2)
	}
	order, err := json.Marshal(Order{os.Args[1], "mobile", os.Args[2], os.Args[3]})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	status, answer := certainly("POST", "/v1/orders", order)
	end := time.Now().Add(patience)
	for status == 200 || status == 202 {
		switch answer.State {
		case "succeeded", "failed", "review":
			fmt.Println(answer.OrderID, answer.State)
			return
		}
		if time.Now().After(end) {
			giveUp(answer.OrderID + " is still " + answer.State + ": it goes on. Look again later, with the same order id")
		}
		time.Sleep(time.Second)
		status, answer = certainly("GET", "/v1/orders/"+url.PathEscape(os.Args[1]), nil)
	}
	giveUp("refused: " + said(answer))
}
