// SPDX-License-Identifier: Apache-2.0
/*
 * flow_http.mjs - a flow that asks an application while somebody is on the
 * phone: the real program, a real receiver, and a signature that is checked by
 * a library that is not ours.
 *
 * What the call says is read from the captions of the page.
 */
import assert from 'node:assert/strict';

import { Webhook } from 'standardwebhooks';

import { writeDown } from '../browser/server.mjs';
import { command, published, runAll } from './house.mjs';
import { Phone } from './phone.mjs';
import { Receiver } from './receiver.mjs';

const PAGE = '+15555550100';
const OTP = '4951087326';
const ENOUGH_MS = 10000; /* the longest time that a node may give */
const SHORT_MS = 400;

const text = (id, said) => ({ id, type: 'play', on: { completed: 'End' },
	config: { speech: { kind: 'text', text: said } } });

/* Asks `url` once the call is up, and says what it was told. */
function flow(url, { ask = {}, params = [] } = {}) {
	return {
		format: 'voiceflow/1', name: 'Ask', start: 'Start', language: 'en',
		nodes: [
			{ id: 'Start', type: 'start', on: { api_request: 'Call' },
				config: { params: [{ name: 'to', required: true },
					{ name: 'who' }, ...params] } },
			{ id: 'Call', type: 'call', on: { answered: 'Ask',
				busy: 'End', no_answer: 'End', rejected: 'End',
				failed: 'End' },
			config: { to: '{{Start.http.params.to}}' } },
			{ id: 'Ask', type: 'http', on: { ok: 'Which',
				client_error: 'Unasked', server_error: 'Broken',
				timeout: 'Late' },
			config: { url, timeout_ms: ENOUGH_MS, ...ask } },
			{ id: 'Which', type: 'branch',
				on: { gold: 'Gold', otherwise: 'Anybody' },
				config: { cases: [{ name: 'gold', op: 'equals',
					left: '{{Ask.body.user.tier}}',
					right: 'gold' }] } },
			text('Gold', 'Welcome back {{Ask.body.user.name}}, you ' +
				'have {{Ask.body.points}} points.'),
			text('Anybody', 'Hello. You have {{Ask.body.points}} points.'),
			text('Unasked', 'Nobody was asked.'),
			text('Broken', 'Something is broken.'),
			text('Late', 'That took too long.'),
			{ id: 'End', type: 'hangup' },
		],
	};
}

const json = (body) => ({ status: 200, body: JSON.stringify(body),
	headers: { 'Content-Type': 'application/json' } });

/* --- a call ------------------------------------------------------------------- */

async function create(server, id, params) {
	writeDown('number', PAGE);
	const made = await server.ask('POST', '/v1/verifications', { to: PAGE,
		flow: id, purpose: 'login', params: { to: PAGE, ...params } });

	assert.equal(made.status, 201, JSON.stringify(made.json));
	return made.json.id;
}

/* All that a call says to its end, and the step that asked. */
async function hear(server, phone, id, params) {
	const made = await create(server, id, params);
	phone.call = (await phone.hears('ring')).call;
	await phone.act('answer');
	const { call } = phone;
	await phone.hears('ended', (d) => d.call === call);
	const said = phone.told.splice(0)
		.filter(([kind, d]) => kind === 'play' && d.call === call)
		.flatMap(([, d]) => d.captions.map((c) => c[1]))
		.join(' ').replace(/\s+/g, ' ').trim();

	return { said, made, step: await asked(server, made) };
}

/* Its trace is there once the run is over. */
async function asked(server, id) {
	const { status, json: runs } = await server.ask('GET',
		`/v1/verifications/${id}/runs`);
	const step = runs.items?.[0]?.trace.steps
		.find((s) => s.node === 'Ask');

	assert.equal(status, 200);
	return step ?? asked(server, id);
}

/* What must stand in no request: where it is plain, and where it was turned. */
function holdsNoSecret(one, secrets) {
	const all = `${one.path}\n${JSON.stringify(one.headers)}\n${one.body}`;

	for (const secret of secrets)
		for (const turned of [secret, [...secret].join(' '),
			encodeURIComponent(secret),
			Buffer.from(secret).toString('base64').slice(0, -4),
			Buffer.from(secret).toString('hex')])
			assert.ok(!all.includes(turned), 'a secret was sent');
}

/* --- the tests ------------------------------------------------------------------ */

const tests = {
	async an_application_is_asked_signed_and_its_answer_is_heard(server) {
		const { secret } = command(server, 'app', 'webhook', 'dev',
			'--secret', 'show');
		const r = await new Receiver().start();
		const phone = await Phone.open(server);
		const id = await published(server, flow(
			`${r.url}/greet/{{Start.http.params.who}}?of={{flow.name}}`, {
				ask: {
					sign: true,
					headers: { 'X-Call': '{{call.id}}' },
					body: { who: '{{Start.http.params.who}}',
						about: ['{{verification.id}}', 1, null],
						language: '{{call.language}}' },
				},
				params: [{ name: 'otp', secret: true }],
			}));

		writeDown('token', secret);
		writeDown('code', OTP);
		r.says = () => json({ points: 7,
			user: { tier: 'gold', name: 'Ada <b>& Sons' } });
		const gold = await hear(server, phone, id,
			{ who: 'Æ "x"/../y', otp: OTP });
		r.says = () => json({ points: 12, user: { tier: 'tin' } });
		const other = await hear(server, phone, id,
			{ who: 'Bob', otp: OTP });

		assert.equal(gold.said,
			'Welcome back Ada <b>& Sons, you have 7 points.');
		assert.equal(other.said, 'Hello. You have 12 points.');
		assert.equal(gold.step.trigger, 'ok');
		assert.equal(gold.step.out.status, 200);

		assert.equal(r.came.length, 2);
		const [one, two] = r.came;
		assert.equal(one.method, 'POST');
		assert.equal(one.path,
			'/greet/%C3%86%20%22x%22%2F..%2Fy?of=Ask');
		assert.equal(one.headers['content-type'], 'application/json');
		assert.match(one.headers['x-call'], /^call_/);
		assert.deepEqual(one.json, { who: 'Æ "x"/../y',
			about: [gold.made, 1, null], language: 'en' });
		isSigned(secret, one, two);
		assert.throws(() => holdsNoSecret(one, [gold.made]));
		for (const each of r.came)
			holdsNoSecret(each, [OTP, server.token, secret,
				secret.replace(/^whsec_/, ''), PAGE.slice(1)]);
		phone.close();
		r.stop();
	},

	async who_answers_late_meets_the_limit_and_the_flow_goes_on(server) {
		const r = await new Receiver().start();
		const phone = await Phone.open(server);
		const id = await published(server, flow(`${r.url}/slow`,
			{ ask: { timeout_ms: SHORT_MS } }));

		/* nothing at all, and a beginning without an end */
		for (const says of [() => null,
			() => ({ status: 200, hangs: true })]) {
			r.says = says;
			const { said, step } = await hear(server, phone, id);

			assert.equal(said, 'That took too long.');
			assert.equal(step.trigger, 'timeout');
			assert.equal(step.out.status, 0);
			assert.ok(step.dur_ms >= SHORT_MS, `${step.dur_ms} ms`);
		}
		assert.equal(r.came.length, 2);
		phone.close();
		r.stop();
	},

	async what_is_no_answer_takes_the_edge_that_it_has(server) {
		const r = await new Receiver().start();
		const phone = await Phone.open(server);
		const id = await published(server, flow(`${r.url}/`));
		const elsewhere = { Location: `${r.url}/elsewhere` };

		for (const [says, heard] of [
			[{ status: 503 }, 'Something is broken.'],
			[{ status: 404 }, 'Nobody was asked.'],
			[{ status: 307, headers: elsewhere }, 'Nobody was asked.'],
		]) {
			r.says = () => says;
			const { said, step } = await hear(server, phone, id);

			assert.equal(said, heard);
			assert.equal(step.out.status, says.status);
		}
		assert.equal(r.came.length, 3);
		r.stop();
		const { said } = await hear(server, phone, id);
		assert.equal(said, 'Something is broken.');
		phone.close();
	},

	async what_is_private_is_refused_where_it_is_not_allowed(server) {
		const r = await new Receiver().start();
		const phone = await Phone.open(server);
		/* an address is looked at when the flow is published */
		await assert.rejects(published(server, flow(`${r.url}/`)),
			/bad_url/);
		/* a name when it is asked */
		const id = await published(server,
			flow(`${r.url.replace('127.0.0.1', 'localhost')}/`));
		const { said, step } = await hear(server, phone, id);

		assert.equal(said, 'Nobody was asked.');
		assert.equal(step.trigger, 'client_error');
		assert.equal(step.out.error, 'refused');
		assert.equal(r.came.length, 0);
		phone.close();
		r.stop();
	},

	async no_flow_that_would_send_a_secret_is_published(server) {
		for (const ask of [
			{ body: { otp: '{{Start.http.params.otp}}' } },
			{ headers: { 'X-Otp': '{{Start.http.params.otp}}' } },
			{ body: { code: '{{verification.code}}' } },
		])
			await assert.rejects(published(server,
				flow('https://app.example/',
					{ ask, params: [{ name: 'otp', secret: true }] })),
			/secret_leak/);
	},
};

/* By their library: as it came, and in no other way. */
function isSigned(secret, one, two) {
	const hook = new Webhook(secret);

	assert.deepEqual(hook.verify(one.body, one.headers), one.json);
	assert.deepEqual(hook.verify(two.body, two.headers), two.json);
	assert.notEqual(one.headers['webhook-id'], two.headers['webhook-id']);
	assert.throws(() => hook.verify(one.body.replace('en', 'de'),
		one.headers));
	assert.throws(() => hook.verify(one.body, { ...one.headers,
		'webhook-id': two.headers['webhook-id'] }));
	assert.throws(() => hook.verify(two.body, one.headers));
	assert.throws(() => new Webhook(Buffer.from('another one, of a size')
		.toString('base64')).verify(one.body, one.headers));
}

const allowed = { outbound: { allow: ['127.0.0.1'] } };

await runAll('faces-flow_http', tests, {
	an_application_is_asked_signed_and_its_answer_is_heard: allowed,
	who_answers_late_meets_the_limit_and_the_flow_goes_on: allowed,
	what_is_no_answer_takes_the_edge_that_it_has: allowed,
	/* what --dev allows by itself is what nobody has set */
	what_is_private_is_refused_where_it_is_not_allowed:
		{ outbound: { allow: ['192.0.2.1'] } },
});
