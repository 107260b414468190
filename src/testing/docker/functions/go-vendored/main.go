package vend

import (
	"example.org/greet"
	"tendril/functions"
)

func Main(c *functions.Context) (*functions.Response, error) { return c.Res.Text(greet.Hi()) }
