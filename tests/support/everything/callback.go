package main

/*
#include <pthread.h>

extern void called(void);

static void *run(void *unused) {
	for (int i = 0; i < 5; i++) called();
	return 0;
}

static void callFromThread(void) {
	pthread_t t;
	if (pthread_create(&t, 0, run, 0) == 0) pthread_join(t, 0);
}
*/
import "C"

import (
	"runtime"
	"time"
)

//export called
func called() {
	time.Sleep(100 * time.Microsecond)
	runtime.Gosched()
}

func init() {
	more = append(more, func() { C.callFromThread() })
}
