module example.com/turnstiles

go 1.21
