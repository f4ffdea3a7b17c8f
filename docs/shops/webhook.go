//go:build ignore

// Hears from the gateway what becomes of orders, and keeps what it heard in orders.json.
//
//	go build webhook.go && SECRET=whsec_... ./webhook 127.0.0.1:8090
package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	// In bytes. A notice is shorter.
	most = 64 * 1024
	// What was signed longer ago may be a copy that somebody kept.
	oldest = 5 * time.Minute
)

// Order is what of an order is kept here.
type Order struct {
	OrderID string `json:"order_id"`
	State   string `json:"state"`
	Version uint64 `json:"version"`
}

// isGenuine answers whether whoever has the secret signed exactly this, just now.
func isGenuine(key []byte, headers http.Header, body []byte) bool {
	at := headers.Get("webhook-timestamp")
	seconds, err := strconv.ParseInt(at, 10, 64)
	age := time.Since(time.Unix(seconds, 0))
	if err != nil || age > oldest || age < -oldest {
		return false
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(headers.Get("webhook-id") + "." + at + "."))
	mac.Write(body)
	right := []byte("v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	genuine := false
	for _, given := range strings.Split(headers.Get("webhook-signature"), " ") {
		genuine = hmac.Equal(right, []byte(given)) || genuine
	}
	return genuine
}

var keeping sync.Mutex

// keep keeps it, unless this version or a higher one is kept already, and answers whether it was new.
//
// With a database: UPDATE orders SET state = ?, version = ? WHERE order_id = ? AND version < ?
func keep(order Order) (bool, error) {
	keeping.Lock()
	defer keeping.Unlock()
	kept := map[string]Order{}
	text, err := os.ReadFile("orders.json")
	if err == nil {
		err = json.Unmarshal(text, &kept)
	} else if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	if err != nil {
		return false, err
	}
	if known, ok := kept[order.OrderID]; ok && order.Version <= known.Version {
		return false, nil
	}
	kept[order.OrderID] = order
	if text, err = json.Marshal(kept); err != nil {
		return false, err
	}
	// What your shop does because of it, such as to refund what has failed, belongs into the same transaction: what is
	// kept is not done again. Here a file of its own, and then its name: one of the two is whole.
	if err = os.WriteFile("orders.new", text, 0o600); err != nil {
		return false, err
	}
	return true, os.Rename("orders.new", "orders.json")
}

func hear(key []byte, request *http.Request) int {
	body, err := io.ReadAll(io.LimitReader(request.Body, most+1))
	if err != nil || len(body) > most {
		return http.StatusRequestEntityTooLarge
	}
	if !isGenuine(key, request.Header, body) {
		return http.StatusUnauthorized
	}
	// What goes wrong from here on is answered with 500, and the notice is sent again.
	var notice struct {
		Data Order `json:"data"`
	}
	if err = json.Unmarshal(body, &notice); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return http.StatusInternalServerError
	}
	isNew, err := keep(notice.Data)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return http.StatusInternalServerError
	}
	if isNew {
		fmt.Println(notice.Data.OrderID, notice.Data.State)
	}
	// Only now: what is answered with 2xx is not sent again. A repeated or an older notice is one, too.
	return http.StatusNoContent
}

func main() {
	secret := os.Getenv("SECRET")
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	if len(os.Args) != 2 || !strings.HasPrefix(secret, "whsec_") || err != nil {
		fmt.Fprintln(os.Stderr, "SECRET=whsec_... ./webhook HOST:PORT")
		os.Exit(2)
	}
	err = http.ListenAndServe(os.Args[1], http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		w.WriteHeader(hear(key, request))
	}))
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
