// 算盘的商户后端，只用标准库：go run shop.go / a merchant's backend beside Suanpan, with the standard library.
//
// POST /buy      小程序来下单：价格和订单是我们的 / the mini program buys: price and order are ours
// POST /webhook  算盘来说付款了：验签，只做一次 / Suanpan tells of the payment: verify, act once
package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

const tolerance = 5 * time.Minute

var (
	suanpan, apiKey = os.Getenv("SUANPAN_URL"), os.Getenv("SUANPAN_API_KEY")
	prices          = map[string]int{"longjing": 990} // 分 / fen
	client          = http.Client{Timeout: 10 * time.Second}
	// 真的商店里这是一张表：编号唯一，和发货在同一个事务里
	// In earnest this is a table with a unique id, written in the transaction that ships the goods.
	handled sync.Map
)

type order struct {
	ID     string `json:"id"`
	Amount int    `json:"amount"`
}

func buy(tea string) (string, error) {
	// 先记自己的订单，再向算盘下单 / your own order first, then Suanpan's
	reference := fmt.Sprintf("tea-%d", time.Now().UnixNano())
	body := fmt.Sprintf(`{"reference":%q,"amount":%d,"description":"龙井一杯"}`, reference, prices[tea])
	request, err := http.NewRequest("POST", suanpan+"/v1/orders", strings.NewReader(body))
	if err != nil {
		return "", err
	}
	request.Header.Set("Authorization", "Bearer "+apiKey)
	// 没有回答就用同一个 key 再发，不会下两单 / no answer: send it again with the same key, and there is still one order
	request.Header.Set("Idempotency-Key", reference)
	request.Header.Set("Content-Type", "application/json")
	answer, err := client.Do(request)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusCreated {
		return "", fmt.Errorf("no order: %s", answer.Status)
	}
	var made order
	err = json.NewDecoder(answer.Body).Decode(&made)
	return made.ID, err
}

// Standard Webhooks：签的是原始字节 / what is signed is the bytes as they came.
func verified(header http.Header, body, secret []byte) bool {
	timestamp := header.Get("webhook-timestamp")
	seconds, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil || time.Since(time.Unix(seconds, 0)).Abs() > tolerance {
		return false
	}
	mac := hmac.New(sha256.New, secret)
	fmt.Fprintf(mac, "%s.%s.%s", header.Get("webhook-id"), timestamp, body)
	ours := []byte("v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	// 换密钥的那一天有两个签名 / on the day after a rotation there are two
	for _, theirs := range strings.Fields(header.Get("webhook-signature")) {
		if hmac.Equal(ours, []byte(theirs)) {
			return true
		}
	}
	return false
}

func main() {
	secret, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(os.Getenv("WEBHOOK_SECRET"), "whsec_"))
	if err != nil {
		log.Fatal("WEBHOOK_SECRET: ", err)
	}
	http.HandleFunc("/buy", func(w http.ResponseWriter, r *http.Request) {
		var wish struct{ Tea string }
		if json.NewDecoder(r.Body).Decode(&wish) != nil || prices[wish.Tea] == 0 {
			http.Error(w, "{}", http.StatusBadRequest)
		} else if id, err := buy(wish.Tea); err != nil {
			http.Error(w, "{}", http.StatusBadGateway)
		} else {
			fmt.Fprintf(w, `{"orderId":%q}`, id)
		}
	})
	http.HandleFunc("/webhook", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
		var event struct {
			Type string
			Data order
		}
		if err != nil || !verified(r.Header, body, secret) || json.Unmarshal(body, &event) != nil {
			http.Error(w, "{}", http.StatusUnauthorized)
			return
		}
		if _, again := handled.LoadOrStore(r.Header.Get("webhook-id"), true); !again && event.Type == "order.paid" {
			fmt.Println("paid", event.Data.ID, event.Data.Amount)
		}
	})
	port := os.Getenv("PORT")
	listener, err := net.Listen("tcp", "127.0.0.1:"+port)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("listening")
	log.Fatal(http.Serve(listener, nil))
}
