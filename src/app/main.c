// SPDX-License-Identifier: Apache-2.0
/*
 * main.c - which command was asked for.
 */
#include <stdio.h>
#include <string.h>

#include "app/app_priv.h"

#define CONFIG_LINE "  --config FILE   the settings file\n"
#define STORE_LINES                                                  \
	CONFIG_LINE "  --dev           the store of `serve --dev`\n" \
		    "  --json          answer in JSON\n"

#define REMOTE_LINES                                                           \
	"\nThe server and the key come from VOICEOTP_URL and VOICEOTP_TOKEN, " \
	"then\n"                                                               \
	"from var/dev.token.\n"

const struct app_command app_commands[] = {
	{"serve", "[--config FILE] [--dev]", "run the server",
	 CONFIG_LINE
	 "  --dev           try it: data in ./var, a key made and printed, "
	 "only\n"
	 "                  the sandbox numbers, a page in the browser rings\n",
	 app_serve},
	{"check-config", "[FILE] [--defaults]",
	 "say what is wrong with a settings file, or print one",
	 CONFIG_LINE "  --defaults      print every setting with its default\n"
		     "  --manual        print them as the manual has them\n"
		     "  --dev           with the defaults of `serve --dev`\n",
	 app_check_config},
	{"app add", "NAME", "make an application", STORE_LINES, app_app_add},
	{"app list", "", "list applications", STORE_LINES, app_app_list},
	{"app webhook", "NAME [--url URL|--off] [--secret show|rotate]",
	 "say where an application's events are told",
	 "  --url URL       there; a create may name another\n"
	 "  --off           nowhere\n"
	 "  --secret show   print the secret that they are signed with\n"
	 "  --secret rotate make another; the old one signs too for a "
	 "day\n" STORE_LINES,
	 app_app_webhook},
	{"app hook",
	 "NAME [--url URL|--off] [--timeout-ms N] [--otherwise allow|deny]",
	 "say whom an application wants asked before a call",
	 "  --url URL       whom\n"
	 "  --off           nobody\n"
	 "  --timeout-ms N  how long an answer may take (2000)\n"
	 "  --otherwise W   what happens without one: allow, or deny "
	 "(allow)\n" STORE_LINES,
	 app_app_hook},
	{"key add", "--app NAME [--name N] [--scope LIST] [--days N]",
	 "make a key; its token is printed once",
	 "  --app NAME      the application that it is for\n"
	 "  --name NAME     what it is called; two live keys share one name\n"
	 "  --scope LIST    of check,verify,flows,admin (verify)\n"
	 "  --days N        days that it lives (no end)\n" STORE_LINES,
	 app_key_add},
	{"key list", "[--app NAME]", "list keys, never their tokens",
	 "  --app NAME      of one application\n" STORE_LINES, app_key_list},
	{"key revoke", "KEY-ID", "end a key", STORE_LINES, app_key_revoke},
	{"secret rotate", "", "put a new key in front of the key ring",
	 CONFIG_LINE, app_secret_rotate},
	{"number unlock", "+NUMBER", "forget a number's failures", STORE_LINES,
	 app_number_unlock},
	{"number reveal", "VERIFICATION", "show the number of a verification",
	 STORE_LINES, app_number_reveal},
	{"number erase", "+NUMBER", "erase what is kept about a number",
	 STORE_LINES, app_number_erase},
	{"call", "+NUMBER [--flow FLOW] [--purpose P] [--wait] [--json]",
	 "verify a number through a running server",
	 "  --flow FLOW     speak, reverse, keypad or plain (speak)\n"
	 "  --purpose P     login, signup, payment, number_change, ... "
	 "(signup)\n"
	 "  --client-ip IP  the end user's address, where the server wants "
	 "one\n"
	 "  --locale L      the language of the call: de, pt-BR, ...\n"
	 "  --send-digits D an extension, dialled after the answer: ww1234#\n"
	 "  --wait          show what happens until the call ends; 0 if it "
	 "was\n"
	 "                  approved or the code was spoken to the end\n"
	 "  --json          print answers and events as they "
	 "come\n" REMOTE_LINES,
	 app_call},
	{"say", "TEXT [--voice V] [--language L] [-o FILE.wav]",
	 "speak a text or SSML to a file",
	 "  --voice V       flite:rms, espeak-ng:de, ...\n"
	 "  --language L    its language (en)\n"
	 "  -o FILE.wav     where to (standard output)\n" CONFIG_LINE,
	 app_say},
	{"flow check", "FILE...", "say what is wrong with call-flow documents",
	 CONFIG_LINE "  --json          findings as JSON, a line per file\n",
	 app_flow_check},
	{"flow list", "[--json]", "list the flows of a running server",
	 "  --json          the list as the API has it\n" REMOTE_LINES,
	 app_flow_list},
	{"flow show", "ID [--document] [--version N] [--json]",
	 "show a flow, its versions, or its document",
	 "  --document      the draft, in canonical form\n"
	 "  --version N     the document of that version\n"
	 "  --json          the flow as the API has it\n" REMOTE_LINES,
	 app_flow_show},
	{"flow import", "FILE [--json]",
	 "make a flow of a document; nothing is published",
	 "  --json          the answer as the API has it\n" REMOTE_LINES,
	 app_flow_import},
	{"flow publish", "ID [-m MESSAGE] [--json]",
	 "make a flow's draft its next version",
	 "  -m MESSAGE      what is new in it\n"
	 "  --json          the answer as the API has it\n" REMOTE_LINES,
	 app_flow_publish},
	{"flow test", "ID [--version N] [--outcome W] [--keys K,...] [--page]",
	 "try a flow; nobody is called",
	 "  --version N     of that version (the draft)\n"
	 "  --outcome W     answered, no_answer, busy, failed or machine "
	 "(answered)\n"
	 "  --keys K,...    what is typed, entry by entry, whenever nobody "
	 "speaks\n"
	 "  --params JSON   in place of the samples of Start\n"
	 "  --page          ring the phone page; shows each step as it ends\n"
	 "  --json          the answer, or events as they come, in JSON\n"
	 "\nIt ends with 0 where the flow came to an end of its own, or the "
	 "other side\n"
	 "hung up.\n" REMOTE_LINES,
	 app_flow_test},
	{"trunk test", "NAME [+NUMBER] [--config FILE] [--trace] [--json]",
	 "say what works of a trunk and what does not",
	 "  +NUMBER         also call it, speak, and wait for a key\n"
	 "  --trace         show the call's signalling, credentials blanked\n"
	 "  --json          a JSON object for each step\n" CONFIG_LINE
	 "\nIt runs beside a server, on other ports where those are taken, "
	 "and heeds no\n"
	 "limits and lists of countries: the call is yours.\n",
	 app_trunk_test},
	{"voice check", "FOLDER", "say what is missing or wrong in recordings",
	 CONFIG_LINE
	 "\nFOLDER is a manifest's folder or file, or a name within the "
	 "program's own.\n",
	 app_voice_check},
	{"version", "", "print the version", NULL, app_version},
	{0},
};

static void help(void)
{
	(void)printf("voiceotp: proves by a phone call that a person holds a "
		     "number.\n\n");
	for (const struct app_command *c = app_commands; c->name; c++)
		(void)printf("  %-14s %s\n", c->name, c->sentence);
	(void)printf("\n`voiceotp COMMAND --help` says more; so does "
		     "voiceotp(1).\n");
}

static int command_help(const struct app_command *c)
{
	(void)printf("voiceotp %s %s\n\n%s.\n", c->name, c->arguments,
		     c->sentence);
	if (c->options)
		(void)printf("\n%s", c->options);
	return APP_FINE;
}

/* How many of the words are this command's name; 0: another. */
static int matches(const struct app_command *c, int argc, char **argv)
{
	const char *blank = strchr(c->name, ' ');
	size_t first = blank ? (size_t)(blank - c->name) : strlen(c->name);

	if (argc < 1 || strlen(argv[0]) != first ||
	    strncmp(argv[0], c->name, first) != 0)
		return 0;
	if (!blank)
		return 1;
	return argc > 1 && strcmp(argv[1], blank + 1) == 0 ? 2 : 0;
}

static bool wants_help(int argc, char **argv)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (strcmp(argv[i], "--help") == 0 ||
		    strcmp(argv[i], "-h") == 0)
			return true;
	return false;
}

/* "key" alone: name what there is. */
static int half_a_command(const char *word)
{
	size_t n = strlen(word);
	bool any = false;

	for (const struct app_command *c = app_commands; c->name; c++) {
		if (strncmp(c->name, word, n) != 0 || c->name[n] != ' ')
			continue;
		(void)fprintf(stderr, "%s%s", any ? ", " : "voiceotp: which? ",
			      c->name);
		any = true;
	}
	if (any)
		(void)fprintf(stderr, "\n");
	else
		(void)fprintf(stderr,
			      "voiceotp: there is no command \"%s\"; "
			      "`voiceotp --help` lists them\n",
			      word);
	return APP_USAGE;
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		help();
		return APP_USAGE;
	}
	argc--;
	argv++;
	if (strcmp(argv[0], "--help") == 0 || strcmp(argv[0], "-h") == 0 ||
	    strcmp(argv[0], "help") == 0) {
		help();
		return APP_FINE;
	}
	if (strcmp(argv[0], "--version") == 0)
		return app_version(1, argv);
	for (const struct app_command *c = app_commands; c->name; c++) {
		int words = matches(c, argc, argv);

		if (words == 0)
			continue;
		if (wants_help(argc, argv))
			return command_help(c);
		return c->run(argc - words + 1, argv + words - 1);
	}
	return half_a_command(argv[0]);
}
