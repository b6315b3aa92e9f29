// SPDX-License-Identifier: Apache-2.0
/*
 * phlo.mjs - Plivo's own client for Node, as it comes from its package, running
 * flows on the real program: what it does with a base URL changed and nothing
 * else.
 *
 * The flow is the original example's, imported and published.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';

import plivo from 'plivo';

import { writeDown } from '../browser/server.mjs';
import { account as accountOf, ended, published, runAll } from './house.mjs';
import { Phone } from './phone.mjs';

const PAGE = '+15555550100', LISTENS = '+15555550110';
const FROM = '+15671234567';
const DRAWING = path.join(process.env.VOICEOTP_SOURCE,
	'tests/fixtures/phlo/voice-otp.json');

const settings = {
	a_limit_is_an_error_that_says_so:
		{ limits: { number_per_day: 1, key_per_hour: 2 } },
};

const tests = {
	async a_flow_is_known_by_its_id(server) {
		const { client, id } = await connect(server);

		const phlo = await client.phlo.get(id);

		assert.equal(phlo.phloId, id);
		assert.equal(phlo.name, 'Voice OTP');
		assert.match(phlo.createdOn, /^20\d\d-\d\d-\d\d .*\+00:00$/);
	},

	async a_six_digit_number_is_heard_digit_by_digit(server) {
		await hears(server, 482913, '482913');
	},

	async a_short_number_is_heard_as_it_is(server) {
		await hears(server, 7, '7');
	},

	async zeros_in_front_of_a_text_are_heard(server) {
		await hears(server, '000042', '000042');
	},

	async a_run_tells_what_became_of_its_call(server) {
		const phone = await Phone.open(server);
		const { client, id, account } = await connect(server);
		const { apiId } = await client.phlo(id).run({ from: FROM,
			to: PAGE, otp: 482913 });

		phone.call = (await phone.hears('ring')).call;
		const rings = await runOf(server, account, id, apiId);
		await phone.act('decline');
		await ended(server, PAGE);
		const over = await runOf(server, account, id, apiId);

		assert.equal(rings.status, 'in-progress');
		assert.equal(rings.outcome, null);
		assert.equal(over.status, 'completed');
		assert.equal(over.outcome, 'declined');
		assert.equal(over.phlo_id, id);
		assert.equal(over.run_id, apiId);
		assert.equal(over.call_uuids.length, 1);
		assert.deepEqual(over.call_uuids, rings.call_uuids);
		phone.close();
	},

	async what_is_refused_is_of_the_clients_own_kinds(server) {
		const { client, id, account } = await connect(server);
		const wrong = new plivo.PhloClient(account, 'x'.repeat(40),
			{ url: `${server.url}/v1` });
		const params = { from: FROM, to: LISTENS, otp: 1 };

		await refused(wrong.phlo(id).run(params),
			401, 'authentication failed');
		await refused(wrong.phlo.get(id), 401,
			'authentication failed');
		await refused(client.phlo('flw_nobodys').run(params),
			404, 'not found');
		await refused(client.phlo.get('flw_nobodys'),
			404, 'not found');
		await refused(client.phlo(id).run({ from: FROM, otp: 1 }),
			400, 'to parameter is missing');
		await refused(client.phlo(id).run({ ...params, to: null }),
			400, 'to parameter is missing');
		await refused(client.phlo(id).run(), 400,
			'parameter is missing');
		await refused(client.phlo(id).run({ ...params,
			to: '+14155552671' }), 400,
		'to parameter is not allowed');
	},

	async a_limit_is_an_error_that_says_so(server) {
		const { client, id } = await connect(server);
		const params = { from: FROM, to: LISTENS, otp: 1 };

		await client.phlo(id).run(params);
		await client.phlo(id).run(params);
		const e = await client.phlo(id).run(params).catch((why) => why);

		assert.ok(e instanceof Error);
		assert.match(`${e}`, /status code 429/);
	},
};

/* --- what the tests share ------------------------------------------------- */

async function hears(server, otp, digits) {
	const phone = await Phone.open(server);
	const { client, id } = await connect(server);

	writeDown('code', digits);
	const run = await client.phlo(id).run({ from: FROM, to: PAGE, otp });
	assert.match(run.apiId, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
	phone.call = (await phone.hears('ring')).call;
	await phone.act('answer');
	const said = await phone.hears('play', (d) =>
		/verification code/.test(captions(d)));
	/* one caption for each digit, in order */
	const spelt = captions(said).replace(/^.*code is/, '');
	assert.deepEqual(spelt.match(/\d/g), [...digits]);
	assert.doesNotMatch(spelt, /\d\d/);
	phone.close();
}

function captions(play) {
	return play.captions.map((c) => c[1]).join(' ').replace(/\s+/g, ' ');
}

/* As Java's client asks; Node's has no way to. */
async function runOf(server, account, id, run) {
	const basic = Buffer.from(`${account}:${server.token}`);
	const answer = await fetch(`${server.url}/v1/phlo/${id}/runs/${run}`, {
		headers: { Authorization: `Basic ${basic.toString('base64')}` },
		signal: AbortSignal.timeout(20000),
	});

	assert.equal(answer.status, 200);
	return answer.json();
}

/*
 * By the client's own kind of error for a status.  Its classes are lost where
 * it was compiled for old engines, so that all are plain Errors; but status,
 * apiID and the answer's words as the message are of those kinds alone.
 */
async function refused(asked, status, text) {
	const e = await asked.then(() => null, (why) => why);

	assert.ok(e instanceof Error, `${status} was expected`);
	assert.equal(e.status, status, `${e}`);
	assert.match(e.apiID, /^[0-9a-f-]{36}$/);
	assert.ok(e.message.includes(text), `${e}, not ${text}`);
}

/* The client as its manual says, but for the base URL, and the flow's id. */
async function connect(server) {
	const account = accountOf(server, 'plivo_account');
	const client = new plivo.PhloClient(account, server.token,
		{ url: `${server.url}/v1` });

	assert.match(account, /^MA[A-Z0-9]{18}$/);
	return { client, account, id: await published(server,
		JSON.parse(fs.readFileSync(DRAWING, 'utf8'))) };
}

await runAll('faces-phlo', tests, settings);
