module example.com/vend

go 1.24

require example.org/greet v1.0.0
