// SPDX-License-Identifier: Apache-2.0
/*
 * server.mjs - the real program with --dev, in a folder that is kept.
 *
 * What it writes stays under <build>/kept with a list of the secrets that the
 * tests had in their hands: smoke/test_secrets.py searches the one for the
 * other.  Every wait is for a line, an answer or an end, and has a deadline.
 */
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import readline from 'node:readline';

const build = process.env.VOICEOTP_BUILD;
const kept = path.join(build, 'kept');
let own = path.join(kept, 'browser');

/* Where this program's servers keep what they write, below <build>/kept. */
export function keepIn(name) {
	own = path.join(kept, name);
}

export const PAGE_NUMBER = '+15555550100';

/* A promise that is refused when it takes too long. */
export function within(ms, what, promise) {
	let timer;
	const late = new Promise((_, refuse) => {
		timer = setTimeout(() =>
			refuse(new Error(`${what}: not within ${ms} ms`)), ms);
	});
	return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

export function cleanKept() {
	fs.rmSync(own, { recursive: true, force: true });
	fs.mkdirSync(own, { recursive: true });
}

export function writeDown(kind, text) {
	fs.appendFileSync(path.join(own, 'secrets.list'), `${kind} ${text}\n`,
		{ mode: 0o600 });
}

export class Server {
	constructor(name, settings = {}) {
		this.dir = path.join(own, name);
		this.log = [];
		this.said = [];
		this.waiting = [];
		fs.mkdirSync(this.dir);
		fs.writeFileSync(path.join(this.dir, 'voiceotp.yaml'),
			JSON.stringify({
				listen: '127.0.0.1:0',
				cache_dir: path.join(kept, 'cache'),
				languages: ['en'],
				...settings,
			}));
	}

	async start() {
		const env = Object.fromEntries(Object.entries(process.env)
			.filter(([k]) => !k.startsWith('VOICEOTP_')));
		this.child = spawn(process.env.VOICEOTP_PROGRAM,
			['serve', '--config', 'voiceotp.yaml', '--dev'],
			{ cwd: this.dir, env, stdio: ['ignore', 'pipe', 'pipe'] });
		this.ended = new Promise((resolve) =>
			this.child.once('close', (code) => resolve(code)));
		this.ended.then(() => this.tell());
		const file = fs.createWriteStream(path.join(this.dir, 'log.1'));
		this.child.stderr.pipe(file);
		readline.createInterface({ input: this.child.stderr })
			.on('line', (line) => this.log.push(line) && this.tell());
		readline.createInterface({ input: this.child.stdout })
			.on('line', (line) => this.said.push(line) && this.tell());
		await this.until(() => this.record('server.ready') &&
			this.links().length, 60000, 'server.ready');
		this.url = `http://127.0.0.1:${this.record('server.ready').port}`;
		this.token = fs.readFileSync(
			path.join(this.dir, 'var/dev.token'), 'utf8').trim();
		writeDown('token', this.token);
		return this;
	}

	record(event) {
		for (const line of this.log) {
			try {
				const o = JSON.parse(line);
				if (o.event === event)
					return o;
			} catch {
				continue; /* not one of the log's */
			}
		}
		return null;
	}

	tell() {
		this.waiting = this.waiting.filter((look) => !look());
	}

	/* Until a condition on log and said holds. */
	until(condition, ms, what) {
		return within(ms, what, new Promise((resolve, refuse) => {
			const look = () => {
				const value = condition();
				if (value)
					resolve(value);
				else if (this.child.exitCode !== null)
					refuse(new Error(`the server ended: ${
						this.log.slice(-5).join('\n')}`));
				else
					return false;
				return true;
			};
			if (!look())
				this.waiting.push(look);
		}));
	}

	/* The addresses of the phone that were printed. */
	links() {
		return this.said.flatMap((s) => s.match(/http\S+\/phone#\S+/) || []);
	}

	/* The newest of them, which works once. */
	phone() {
		const link = this.links().at(-1);
		writeDown('token', link.split('#')[1]);
		return link;
	}

	/* What the printed curl does. */
	async ask(method, where, body) {
		const answer = await fetch(this.url + where, {
			method,
			headers: { Authorization: `Bearer ${this.token}` },
			body: body && JSON.stringify(body),
			signal: AbortSignal.timeout(20000),
		});
		return { status: answer.status, json: await answer.json() };
	}

	async create(fields = {}) {
		writeDown('number', PAGE_NUMBER);
		const answer = await this.ask('POST', '/v1/verifications',
			{ to: PAGE_NUMBER, ...fields });
		if (answer.status !== 201)
			throw new Error(JSON.stringify(answer));
		return answer.json.id;
	}

	async check(id, code) {
		const answer = await this.ask('POST',
			`/v1/verifications/${id}/check`, { code });
		if (answer.status !== 200)
			throw new Error(JSON.stringify(answer));
		return answer.json;
	}

	async read(id) {
		return (await this.ask('GET', `/v1/verifications/${id}`)).json;
	}

	async stop() {
		if (this.child.exitCode === null)
			this.child.kill('SIGTERM');
		try {
			await within(5000, 'the end', this.ended);
		} catch {
			this.child.kill('SIGKILL');
			await this.ended;
		}
	}
}
