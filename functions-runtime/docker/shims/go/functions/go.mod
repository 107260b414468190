module tendril/functions

go 1.19
