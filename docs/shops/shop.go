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
	"strconv"
	"time"
)

// Order is what is sent.
type Order struct {
	OrderID string `json:"order_id"`
	Kind    string `json:"kind"`
	Account string `json:"account"`
	Amount  int    `json:"amount"`
}

// Answer is what of an order, or of a problem, is looked at here.
type Answer struct {
	OrderID string `json:"order_id"`
	State   string `json:"state"`
	Detail  string `json:"detail"`
	Advice  string `json:"advice"`
}

var client = http.Client{Timeout: 30 * time.Second}

// call answers the status, or 0 if no whole answer came.
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
		return 0, answer
	}
	defer response.Body.Close()
	if json.NewDecoder(response.Body).Decode(&answer) != nil {
		return 0, answer
	}
	return response.StatusCode, answer
}

// certainly asks until there is an answer. An order may be sent again: it is the same order.
func certainly(method, path string, body []byte) (int, Answer) {
	for {
		status, answer := call(method, path, body)
		if status != 0 && status != 429 && status < 500 {
			return status, answer
		}
		time.Sleep(time.Second)
	}
}

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "go run shop.go ORDER_ID PHONE YUAN")
		os.Exit(2)
	}
	yuan, err := strconv.Atoi(os.Args[3])
	if err != nil {
		fmt.Fprintln(os.Stderr, "YUAN is a whole number")
		os.Exit(2)
	}
	order, err := json.Marshal(Order{os.Args[1], "mobile", os.Args[2], yuan})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	status, answer := certainly("POST", "/v1/orders", order)
	for status == 200 || status == 202 {
		switch answer.State {
		case "succeeded", "failed", "review":
			fmt.Println(answer.OrderID, answer.State)
			return
		}
		time.Sleep(time.Second)
		status, answer = certainly("GET", "/v1/orders/"+url.PathEscape(os.Args[1]), nil)
	}
	fmt.Fprintf(os.Stderr, "refused: %s (%s)\n", answer.Detail, answer.Advice)
	os.Exit(1)
}
