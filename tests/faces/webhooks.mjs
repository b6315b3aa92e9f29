// SPDX-License-Identifier: Apache-2.0
/*
 * webhooks.mjs - what the real program tells a receiver, checked by a library
 * that is not ours.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import readline from 'node:readline';

import { Webhook } from 'standardwebhooks';

import { within } from '../browser/server.mjs';
import { Receiver, Watched } from './receiver.mjs';

const own = path.join(process.env.VOICEOTP_BUILD, 'kept', 'faces-webhooks');
const cache = path.join(process.env.VOICEOTP_BUILD, 'kept', 'cache');
const BUSY = '+15555550120';
const WAIT_MS = 60000;

fs.rmSync(own, { recursive: true, force: true });
fs.mkdirSync(own, { recursive: true });

function writeDown(kind, text) {
	fs.appendFileSync(path.join(own, 'secrets.list'), `${kind} ${text}\n`,
		{ mode: 0o600 });
}

class Program extends Watched {
	constructor(name, more = {}) {
		super();
		this.dir = path.join(own, name);
		fs.mkdirSync(this.dir, { recursive: true });
		fs.writeFileSync(path.join(this.dir, 'voiceotp.yaml'),
			JSON.stringify({ listen: '127.0.0.1:0', cache_dir: cache,
				languages: ['en'], ...more }));
	}

	spawn(...args) {
		const env = Object.fromEntries(Object.entries(process.env)
			.filter(([k]) => !k.startsWith('VOICEOTP_')));
		return spawn(process.env.VOICEOTP_PROGRAM, [...args, '--config',
			'voiceotp.yaml', '--dev'],
		{ cwd: this.dir, env, stdio: ['ignore', 'pipe', 'pipe'] });
	}

	async start() {
		this.log = [];
		this.child = this.spawn('serve');
		this.ended = new Promise((end) => this.child.once('close', end));
		readline.createInterface({ input: this.child.stderr })
			.on('line', (line) => {
				fs.appendFileSync(path.join(this.dir, 'log.1'),
					`${line}\n`);
				this.log.push(line);
				this.tell();
			});
		this.child.stdout.resume();
		const line = await this.until('server.ready', () =>
			this.log.find((l) => l.includes('"server.ready"')));
		this.url = `http://127.0.0.1:${JSON.parse(line).port}`;
		this.token = fs.readFileSync(
			path.join(this.dir, 'var/dev.token'), 'utf8').trim();
		writeDown('token', this.token);
		return this;
	}

	async end(signal) {
		this.child.kill(signal);
		await this.ended;
	}

	/* A command beside it: the object that it prints. */
	async command(...args) {
		const child = this.spawn(...args, '--json');
		let out = '', err = '';
		child.stdout.on('data', (part) => { out += part; });
		child.stderr.on('data', (part) => { err += part; });
		const code = await new Promise((end) => child.once('close', end));
		if (code)
			throw new Error(err);
		return JSON.parse(out);
	}

	async ask(method, where, body) {
		const answer = await fetch(this.url + where, {
			method,
			headers: { Authorization: `Bearer ${this.token}` },
			body: body && JSON.stringify(body),
			signal: AbortSignal.timeout(20000),
		});
		return { status: answer.status, json: await answer.json() };
	}

	async create(webhook, to = BUSY) {
		const { status, json } = await this.ask('POST',
			'/v1/verifications', { to, webhook });
		assert.equal(status, 201, JSON.stringify(json));
		return json.id;
	}

	cancel(id) {
		return this.ask('POST', `/v1/verifications/${id}/cancel`);
	}

	async secret(...more) {
		const { secret } = await this.command('app', 'webhook', 'dev',
			'--secret', ...(more.length ? more : ['show']));
		writeDown('token', secret);
		return secret;
	}
}

/* What a careful receiver does: by the library, and ids once. */
class Careful {
	seen = new Set();

	constructor(secret) {
		this.hook = new Webhook(secret);
	}

	accept({ body, headers }) {
		const event = this.hook.verify(body, headers);
		if (this.seen.has(headers['webhook-id']))
			throw new Error('a replay');
		this.seen.add(headers['webhook-id']);
		return event;
	}
}

const tests = {
	async a_stock_receiver_accepts_every_event_in_order(p, r) {
		const careful = new Careful(await p.secret());
		const id = await p.create(`${r.url}/hook`);
		await r.told(id, 'call.ended');
		await p.cancel(id);
		await r.told(id, 'verification.canceled');

		assert.deepEqual(r.types(id), ['verification.created',
			'call.dialing', 'call.ringing', 'call.ended',
			'verification.canceled'].filter((t) =>
			t !== 'call.ringing' || r.types(id).includes(t)));
		for (const one of r.of(id)) {
			const event = careful.accept(one);
			assert.equal(event.data.id, id);
			assert.ok(!one.body.includes('5555550120'));
			assert.equal(one.path, '/hook');
		}
	},

	async it_refuses_a_changed_body_an_old_timestamp_and_a_replay(p, r) {
		const careful = new Careful(await p.secret());
		const id = await p.create(r.url);
		const one = await r.told(id, 'verification.created');
		const { body, headers } = one;
		const old = String(Number(headers['webhook-timestamp']) - 600);

		assert.throws(() => careful.accept({ headers,
			body: body.replace('created', 'approved') }),
		/No matching signature/);
		assert.throws(() => careful.accept({ body,
			headers: { ...headers, 'webhook-timestamp': old } }),
		/timestamp/i);
		assert.throws(() => careful.accept({ body,
			headers: { ...headers, 'webhook-id': 'msg_other' } }),
		/No matching signature/);
		careful.accept(one);
		assert.throws(() => careful.accept(one), /a replay/);
	},

	async for_a_day_both_secrets_are_good(p, r) {
		const before = new Webhook(await p.secret());
		const after = new Webhook(await p.secret('rotate'));
		const id = await p.create(r.url);
		/* the server looks for what a command did every 2 s */
		const signed = async () => {
			const one = await r.told(await p.create(r.url,
				'+15555550122'), 'verification.created');
			return one.headers['webhook-signature'].includes(' ')
				? one : signed();
		};
		const one = await signed();

		await r.told(id, 'verification.created');
		before.verify(one.body, one.headers);
		after.verify(one.body, one.headers);
	},

	async what_is_not_taken_comes_again_with_the_same_id(p, r) {
		let failures = 1;
		r.says = () => ({ status: failures-- > 0 ? 503 : 200 });
		const id = await p.create(r.url);
		await r.told(id, 'call.ended');
		const [first, again] = r.of(id);
		const { json } = await p.ask('GET',
			`/v1/verifications/${id}/webhooks`);

		assert.equal(first.json.type, 'verification.created');
		assert.equal(again.json.type, 'verification.created');
		assert.equal(first.headers['webhook-id'],
			again.headers['webhook-id']);
		assert.equal(first.body, again.body);
		assert.deepEqual(json.items[0].attempts.map((a) => a.status),
			[503, 200]);
	},

	async a_redirect_is_a_failure_and_is_not_followed(p, r) {
		r.says = (one) => ({ status: 307, body: '',
			headers: { Location: `${r.url}/elsewhere` } });
		const id = await p.create(`${r.url}/here`);
		await r.told(id, 'verification.created');
		await p.until('webhook.failed', () =>
			p.log.find((l) => l.includes('"webhook.failed"') &&
				l.includes(id)));
		assert.ok(r.came.every((one) => one.path === '/here'));
	},

	async who_never_answers_holds_up_nobody_else(p, r) {
		const slow = await new Receiver().start();
		slow.says = () => null;
		for (let i = 0; i < 3; i++)
			await p.create(slow.url);
		const others = [];
		for (let i = 0; i < 20; i++) {
			others.push(await p.create(r.url));
			await p.cancel(others.at(-1));
		}
		await Promise.all(others.map((id) =>
			r.told(id, 'verification.canceled')));
		assert.ok(slow.came.length > 0);
		slow.stop();
	},

	async after_a_crash_what_was_under_way_is_told_again(p, r) {
		r.says = () => null;
		const id = await p.create(r.url);
		const first = await r.told(id, 'verification.created');
		await p.end('SIGKILL');
		r.came = [];
		r.says = () => ({ status: 200 });
		await p.start();
		const again = await r.told(id, 'verification.created');
		await p.cancel(id);
		await r.told(id, 'verification.canceled');

		assert.equal(again.headers['webhook-id'],
			first.headers['webhook-id']);
		assert.equal(r.types(id).filter((t) =>
			t === 'verification.created').length, 1);
	},

	async an_event_is_told_once_more_when_asked_for(p, r) {
		const id = await p.create(r.url);
		await r.told(id, 'call.ended');
		const where = `/v1/verifications/${id}/webhooks`;
		const shown = async () => {
			const { json } = await p.ask('GET', where);
			return json.items.length === r.of(id).length
				? json : shown();
		};
		const { items } = await shown();
		const before = r.of(id).length;
		const { status } = await p.ask('POST', `${where}/resend`,
			{ event: items[0].event });
		assert.equal(status, 202);
		await r.until('it again', () => r.of(id).length > before);
		assert.equal(r.of(id).at(-1).headers['webhook-id'],
			items[0].webhook_id);
	},

	async an_application_denies_a_call(p, r) {
		const secret = new Webhook(await p.secret());
		r.says = (one) => one.json.type === 'call.asked'
			? { status: 200, body: JSON.stringify(
				{ action: 'deny', reason: 'swapped' }) }
			: { status: 200 };
		await p.command('app', 'hook', 'dev', '--url', `${r.url}/may`);
		/* the server looks for what a command did every 2 s */
		const asked = async () => {
			const id = await p.create(r.url);
			await r.told(id, 'call.ended');
			return r.came.some((one) => one.path === '/may' &&
				one.json.id === id) ? id : asked();
		};
		const id = await asked();
		const last = await r.told(id, 'verification.failed');
		const question = r.came.find((one) => one.json.id === id);
		const { json } = await p.ask('GET', `/v1/verifications/${id}`);

		secret.verify(question.body, question.headers);
		assert.equal(question.json.to, BUSY);
		assert.equal(last.json.data.why, 'denied');
		assert.equal(last.json.data.reason, 'swapped');
		assert.equal(json.status, 'failed');
		assert.equal(json.calls[0].outcome, 'not_called');
		assert.equal(json.calls[0].dialed_at, null);
	},

	async what_leads_inside_is_refused_unless_it_is_allowed(_, r) {
		const p = await new Program('inside',
			{ outbound: { allow: ['192.0.2.1'] } }).start();
		try {
			for (const url of [r.url, 'http://10.0.0.1/', 'http://[::1]/',
				'http://[::ffff:127.0.0.1]/', 'http://169.254.169.254/']) {
				const { status, json } = await p.ask('POST',
					'/v1/verifications', { to: BUSY, webhook: url });
				assert.equal(status, 400, url);
				assert.equal(json.field, 'webhook');
			}
			await assert.rejects(p.command('app', 'webhook', 'dev', '--url',
				r.url));
			/* a name is looked at when it is asked */
			const id = await p.create(
				r.url.replace('127.0.0.1', 'localhost'));
			await p.until('webhook.failed', () => p.log.find((l) =>
				l.includes('"webhook.failed"') && l.includes(id) &&
				l.includes('"refused"')));
			assert.equal(r.came.length, 0);
		} finally {
			await p.end('SIGTERM');
		}
	},
};

let failed = 0, n = 0;
console.log(`1..${Object.keys(tests).length}`);
for (const [name, test] of Object.entries(tests)) {
	const r = await new Receiver().start();
	const p = new Program(name);
	let why = null;
	try {
		await p.start();
		await test(p, r);
	} catch (error) {
		why = error;
		failed++;
	}
	if (p.child.exitCode === null && p.child.signalCode === null)
		await within(WAIT_MS, 'the end', p.end('SIGKILL'));
	r.stop();
	console.log(`${why ? 'not ok' : 'ok'} ${++n} - ${name}`);
	if (why)
		console.log(String(why.stack).replace(/^/gm, '# '));
}
process.exit(failed ? 1 : 0);
