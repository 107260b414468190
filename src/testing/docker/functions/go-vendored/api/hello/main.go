package hello

import "tendril/functions"

func Main(c *functions.Context) (*functions.Response, error) { return c.Res.Text("sub") }
