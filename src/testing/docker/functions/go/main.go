package function

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing/iotest"
	"time"

	"tendril/functions"
)

var later string

func Main(context *functions.Context) (*functions.Response, error) {
	req, res := context.Req, context.Res
	switch req.Path {
	case "/hello":
		var body any
		if err := req.JSON(&body); err != nil {
			return nil, err
		}
		query := map[string]string{"page": req.Query.Get("page")}
		answer, err := res.JSON(map[string]any{"method": req.Method, "query": query, "header": req.Headers["x-a"], "body": body})
		answer.Status = 201
		answer.Headers["x-b"] = "c"
		return answer, err
	case "/env":
		return res.Text(context.Env["NAME"] + " " + os.Getenv("NAME"))
	case "/log":
		context.Log("one", 1)
		fmt.Println("two")
		context.Error("three")
		return res.Empty()
	case "/print":
		fmt.Print("ü, no end")
		return res.Empty()
	case "/long":
		fmt.Println(strings.Repeat("x", 5_000_000))
		return res.Empty()
	case "/header":
		answer, err := res.Text("")
		answer.Headers["x-a"] = "a\nb"
		return answer, err
	case "/leave":
		go context.Fetch(functions.FetchRequest{URL: "https://hanging.example/"})
		return res.Empty()
	case "/later":
		go func() {
			time.Sleep(300 * time.Millisecond)
			context.Log("late")
			var answer any
			later = fmt.Sprint(context.GraphQL("{ a }", nil, &answer))
		}()
		return res.Empty()
	case "/told":
		time.Sleep(800 * time.Millisecond)
		return res.Text(later)
	case "/broken-stream":
		return res.Stream(io.MultiReader(strings.NewReader("abc"), iotest.ErrReader(errors.New("no"))))
	case "/query":
		return res.Text(req.Query.Get("x") + req.Query.Get("y"))
	case "/values":
		return res.Text(strings.Join(os.Environ(), "\n"))
	case "/graphql":
		var answer any
		if err := context.GraphQL("{ a }", map[string]any{"b": 1}, &answer); err != nil {
			return nil, err
		}
		return res.JSON(answer)
	case "/wrong":
		var answer any
		return nil, context.GraphQL("{ wrong }", nil, &answer)
	case "/fetch":
		headers := functions.Headers{"x-a": "b"}
		got, err := context.Fetch(functions.FetchRequest{Method: "POST", URL: "https://example.com/x", Headers: headers, Body: []byte("c")})
		if err != nil {
			return nil, err
		}
		return res.Text(fmt.Sprintf("%d %s %s", got.Status, got.Headers["x-b"], got.Body))
	case "/refused":
		_, err := context.Fetch(functions.FetchRequest{URL: "https://refused.example/"})
		return res.Text(err.Error())
	case "/throw":
		return nil, errors.New("no")
	case "/panic":
		panic("no")
	case "/redirect":
		return res.Redirect("/x")
	case "/invalid":
		return nil, nil
	case "/stream":
		return res.Stream(bytes.NewReader([]byte("abc")))
	case "/memory":
		var all [][]byte
		for {
			all = append(all, bytes.Repeat([]byte{1}, 10_000_000))
		}
	}
	os.Exit(3)
	return nil, nil
}
