/*
 * dies: whether a call aborts, tried in a child so that the test goes on.
 */
#ifndef TESTS_LIB_DIES_H
#define TESTS_LIB_DIES_H

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* True when `call(arg)` ends by SIGABRT; false when it returns or ends otherwise. */
static inline bool dies(void (*call)(void *), void *arg)
{
	pid_t child = fork();
	int status;

	if (child < 0)
		abort();
	if (child == 0) {
		struct rlimit none = {0, 0};
		int null = open("/dev/null", O_WRONLY);
		(void)setrlimit(RLIMIT_CORE, &none);
		(void)signal(SIGABRT, SIG_DFL);
		if (null >= 0)
			(void)dup2(null, STDERR_FILENO);
		call(arg);
		_exit(0);
	}
	if (waitpid(child, &status, 0) != child)
		abort();
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

#endif
