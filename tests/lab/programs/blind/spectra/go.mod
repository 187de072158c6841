module example.com/spectra

go 1.21
