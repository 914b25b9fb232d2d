/* postern: reads the command line and the configuration, and runs the node. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "control/config.h"
#include "control/daemon.h"
#include "control/log.h"

static const char usage[] =
	"usage: postern [--log LEVEL] FILE\n"
	"       postern --check [--no-devices] FILE\n"
	"\n"
	"Runs the border that FILE describes, in the foreground.\n"
	"\n"
	"  --check       only validate FILE: exits 0 when it is right, 1 when it is not.\n"
	"                Devices, CPUs and the key file are looked for, not opened.\n"
	"  --no-devices  with --check: only what FILE says in itself, for another machine\n"
	"  --log LEVEL   error, warn, info or debug, instead of node.log\n"
	"  --version     the version\n"
	"  --help        this text\n"
	"\n"
	"SIGTERM drains and exits, SIGINT exits at once.\n"
	"exit codes: 0 ended as told, 1 configuration or start refused, 2 usage,\n"
	"70 a worker has died or hangs.\n";

struct options {
	bool check, no_devices, log_given;
	enum log_level log;
	const char *file;
};

static int bad_usage(const char *why)
{
	fprintf(stderr, "postern: %s\n%s", why, usage);
	return EXIT_USAGE;
}

/* -1: go on; else the exit code. */
static int read_options(int argc, char **argv, struct options *o)
{
	static const struct option longs[] = {
		{"check", no_argument, NULL, 'c'},     {"no-devices", no_argument, NULL, 'n'},
		{"log", required_argument, NULL, 'l'}, {"version", no_argument, NULL, 'v'},
		{"help", no_argument, NULL, 'h'},      {NULL, 0, NULL, 0}};
	int opt;

	while ((opt = getopt_long(argc, argv, "h", longs, NULL)) != -1) {
		switch (opt) {
		case 'c':
			o->check = true;
			break;
		case 'n':
			o->no_devices = true;
			break;
		case 'l':
			o->log_given = true;
			if (!log_level_parse(optarg, &o->log))
				return bad_usage("--log: expected error, warn, info or debug");
			break;
		case 'v':
			puts("postern " POSTERN_VERSION);
			return EXIT_SUCCESS;
		case 'h':
			fputs(usage, stdout);
			return EXIT_SUCCESS;
		default:
			fputs(usage, stderr);
			return EXIT_USAGE;
		}
	}
	if (optind != argc - 1)
		return bad_usage("expected one configuration file");
	if (o->no_devices && !o->check)
		return bad_usage("--no-devices goes with --check");
	o->file = argv[optind];
	return -1;
}

int main(int argc, char **argv)
{
	static struct config_report report;
	struct options o = {.check = false};
	struct config *config;
	int code = read_options(argc, argv, &o);

	if (code >= 0)
		return code;
	config = config_load(o.file, o.no_devices ? CONFIG_CHECK_TEXT : CONFIG_CHECK_DEVICES,
			     &report);
	if (!config) {
		config_report_print(&report, stderr);
		return EXIT_REFUSED;
	}
	if (o.check) {
		printf("%s: the configuration is right\n", o.file);
		free(config);
		return EXIT_SUCCESS;
	}
	log_set_level(o.log_given ? o.log : config->log);
	code = daemon_run(config);
	free(config);
	return code;
}
