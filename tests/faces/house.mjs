// SPDX-License-Identifier: Apache-2.0
/*
 * house.mjs - what the tests of the faces share: a server for each test, and
 * what happened in it by our own API.
 *
 * Tests run side by side, because a call takes the time that it takes to speak.
 * TAP on standard output.
 */
import { spawnSync } from 'node:child_process';

import { Server, cleanKept, keepIn, within, writeDown }
	from '../browser/server.mjs';

const TEST_MS = 200000;

const unlimited = Object.fromEntries(['number_per_30s',
	'number_per_10min', 'number_per_day', 'client_per_hour', 'key_per_hour']
	.map((n) => [n, 0]));

/* What an operator's command prints. */
export function command(server, ...words) {
	const ran = spawnSync(process.env.VOICEOTP_PROGRAM,
		[...words, '--config', 'voiceotp.yaml', '--dev', '--json'],
		{ cwd: server.dir, encoding: 'utf8' });

	if (ran.status !== 0)
		throw new Error(ran.stderr);
	return JSON.parse(ran.stdout);
}

/* An id that the application has here for a vendor's clients. */
export function account(server, kind) {
	return command(server, 'app', 'list')[0][kind];
}

/* A drawing or a document of ours, published: the flow's id. */
export async function published(server, drawing) {
	const made = await server.ask('POST', '/v1/flows/import', drawing);
	if (made.status !== 201)
		throw new Error(JSON.stringify(made.json));
	const { id } = made.json.flow;
	const out = await server.ask('POST', `/v1/flows/${id}/publish`,
		{ message: 'as it was' });
	if (out.status !== 200)
		throw new Error(JSON.stringify(out.json));
	return id;
}

export function other(code) {
	return String((Number(code) + 1) % 1e6).padStart(6, '0');
}

/* The newest verification of a number, by our own API. */
export async function newest(server, to) {
	writeDown('number', to);
	const { json } = await server.ask('POST', '/v1/verifications/search',
		{ to, limit: 1 });
	return json.items[0].id;
}

/* Until something has happened to it, as its events tell. */
export async function happened(server, to, kind, { ms = 90000, times = 1 } = {}) {
	const id = await newest(server, to);
	const events = await fetch(
		`${server.url}/v1/verifications/${id}/events`, {
			headers: { Authorization: `Bearer ${server.token}` },
			signal: AbortSignal.timeout(ms),
		});
	const line = new RegExp(`^event: ?${kind}$`, 'gm');
	let text = '';
	for await (const part of events.body) {
		text += Buffer.from(part).toString();
		if (text.match(line)?.length >= times)
			return;
	}
	throw new Error(`${kind} did not come: ${text}`);
}

export function spoken(server, to) {
	return happened(server, to, 'call\\.spoken');
}

/* Until no call of it goes on. */
export async function ended(server, to) {
	const id = await newest(server, to);
	const { calls } = await server.read(id);

	await happened(server, to, 'call\\.ended', { times: calls.length });
}

/* --- running them ----------------------------------------------------------- */

async function one(name, test, settings) {
	const server = new Server(name, { ...settings,
		limits: { ...unlimited, ...settings?.limits } });
	const began = performance.now();
	let why = null;

	try {
		await server.start();
		await within(TEST_MS, name, test(server));
	} catch (e) {
		why = e;
	} finally {
		await server.stop();
	}
	return { why, seconds: (performance.now() - began) / 1000 };
}

/* Each test with a server of its own, all at once. */
export async function runAll(folder, tests, settings) {
	const names = Object.keys(tests);
	let n = 0;

	keepIn(folder);
	cleanKept();
	console.log(`1..${names.length}`);
	await Promise.all(names.map(async (name) => {
		const { why, seconds } = await one(name, tests[name],
			settings[name]);
		if (why) {
			process.exitCode = 1;
			console.log(`${why.stack || why}`.replace(/^/gm, '# '));
		}
		console.log(`${why ? 'not ' : ''}ok ${++n} - ${name} # ${
			seconds.toFixed(1)} s`);
	}));
}
