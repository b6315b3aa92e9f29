// SPDX-License-Identifier: Apache-2.0
/*
 * plivo.mjs - Plivo's own client, as it comes from its package, and its Verify
 * sessions against the real program.
 */
import assert from 'node:assert/strict';
import http from 'node:http';

import plivo from 'plivo';

import { writeDown } from '../browser/server.mjs';
import { account, ended, other, runAll, spoken } from './house.mjs';
import { Phone } from './phone.mjs';

const SANDBOX = '1555555'; /* as their examples write numbers: no plus */
const PAGE = `${SANDBOX}0100`, LISTENS = `${SANDBOX}0110`,
	BUSY = `${SANDBOX}0120`;
const NOBODYS = '00000000-0000-0000-0000-000000000000';

const tests = {
	async a_session_is_heard_and_validated_once(server) {
		const phone = await Phone.open(server);
		const { verify_session: sessions } = connect(server);

		writeDown('number', PAGE);
		const made = await sessions.create({ recipient: PAGE,
			channel: 'voice', locale: 'en_US' });
		assert.match(made.sessionUuid, /^[0-9a-f-]{36}$/);
		assert.equal(made.message, 'Session initiated');
		assert.match(made.apiId, /^[0-9a-f-]{36}$/);

		const code = await phone.takesTheCode();
		await spoken(server, `+${PAGE}`);
		await refused('InvalidRequestError', 'invalid otp',
			sessions.validate({ id: made.sessionUuid, otp: other(code) }));
		const right = await sessions.validate({ id: made.sessionUuid,
			otp: code });
		assert.equal(right.message, 'session validated successfully.');
		await refused('InvalidRequestError', /expired or verified/,
			sessions.validate({ id: made.sessionUuid, otp: code }));

		const read = await sessions.get(made.sessionUuid);
		assert.equal(read.status, 'verified');
		assert.equal(read.recipient, PAGE);
		assert.equal(read.channel, 'voice');
		assert.equal(read.attemptDetails.length, 1);
		assert.equal(read.attemptDetails[0].channel, 'voice');
		assert.equal(read.charges.attemptCharges.length, 1);
		phone.close();
	},

	async a_second_create_is_another_attempt_with_the_same_code(server) {
		const { verify_session: sessions } = connect(server);
		const create = () => sessions.create({ recipient: BUSY,
			channel: 'voice' });

		writeDown('number', BUSY);
		const first = await create();
		await ended(server, `+${BUSY}`);
		const second = await create();
		assert.equal(second.sessionUuid, first.sessionUuid);
		await ended(server, `+${BUSY}`);
		const read = await sessions.get(first.sessionUuid);
		assert.equal(read.count, 2);
		assert.equal(read.status, 'in-progress');
		assert.deepEqual(read.attemptDetails.map((a) => a.status),
			['busy', 'busy']);

		const all = await sessions.list({ limit: 1 });
		assert.deepEqual(all.sessions.map((s) => s.sessionUuid),
			[first.sessionUuid]);
		assert.equal(all.meta.limit, 1);
		assert.equal(all.meta.next, null);
		const none = await sessions.list({ status: 'verified' });
		assert.equal(none.sessions, null);
		for (let sends = 2; sends < 5; sends++) {
			await create();
			await ended(server, `+${BUSY}`);
		}
		await refused('Error', /429/, create());
	},

	async wrong_codes_are_counted(server) {
		const { verify_session: sessions } = connect(server);

		writeDown('number', LISTENS);
		const { sessionUuid: id } = await sessions.create({
			recipient: LISTENS, channel: 'voice' });
		await spoken(server, `+${LISTENS}`);
		for (let wrong = 0; wrong < 2; wrong++)
			await refused('InvalidRequestError', 'invalid otp',
				sessions.validate({ id, otp: '000' }));
		await refused('Error', /429/,
			sessions.validate({ id, otp: '000000' }));
	},

	async what_cannot_be_is_refused_in_their_words(server) {
		const client = connect(server);
		const { verify_session: sessions } = client;
		const create = (more) => sessions.create({ recipient: LISTENS,
			channel: 'voice', ...more });

		await refused('ResourceNotFoundError', 'not found',
			sessions.get(NOBODYS));
		await refused('ResourceNotFoundError', 'not found',
			sessions.validate({ id: NOBODYS, otp: '123456' }));
		await refused('ResourceNotFoundError', 'not found',
			sessions.get('nothing'));
		await refused('InvalidRequestError', /channel/,
			create({ channel: 'sms' }));
		await refused('InvalidRequestError', /recipient/,
			create({ recipient: 'somebody' }));
		await refused('InvalidRequestError', /code_length/,
			create({ code_length: 3 }));
		writeDown('number', '442079460958');
		await refused('GeoPermissionError', /recipient/,
			create({ recipient: '442079460958' }));

		const stranger = connect(server, 'x'.repeat(40));
		await refused('AuthenticationError', 'authentication failed',
			stranger.verify_session.get(NOBODYS));
	},

	async a_callback_is_signed_as_their_client_checks_it(server) {
		const { verify_session: sessions } = connect(server);
		const told = [];
		let enough;
		const all = new Promise((resolve) => { enough = resolve; });
		const receiver = http.createServer(async (request, answer) => {
			let body = '';
			for await (const part of request)
				body += part;
			answer.end();
			told.push({ headers: request.headers, path: request.url,
				method: request.method, body });
			if (told.length === 3)
				enough();
		});
		await new Promise((up) => { receiver.listen(0, '127.0.0.1', up); });
		const url = `http://127.0.0.1:${receiver.address().port}/told`;

		writeDown('number', LISTENS);
		const made = await sessions.create({ recipient: LISTENS,
			channel: 'voice', url, method: 'POST' });
		await all;
		receiver.close();

		const fields = told.map((t) =>
			Object.fromEntries(new URLSearchParams(t.body)));
		assert.deepEqual(fields.map((f) => f.ChannelStatus),
			['ringing', 'in-progress', 'completed']);
		for (const [i, t] of told.entries()) {
			const f = fields[i];
			assert.equal(f.SessionUUID, made.sessionUuid);
			assert.equal(f.Recipient, LISTENS);
			assert.equal(f.AttemptSequence, '1');
			const v3 = [t.method, url, t.headers['x-plivo-signature-v3-nonce'],
				server.token, t.headers['x-plivo-signature-v3']];
			assert.ok(plivo.validateV3Signature(...v3, f));
			assert.ok(!plivo.validateV3Signature(...v3,
				{ ...f, ChannelStatus: 'failed' }));
			assert.ok(plivo.validateSignature(url,
				t.headers['x-plivo-signature-v2-nonce'],
				t.headers['x-plivo-signature-v2'], server.token));
		}
	},
};

const settings = {
	wrong_codes_are_counted: { code: { wrong_checks: 2 } },
	a_callback_is_signed_as_their_client_checks_it:
		{ outbound: { allow: ['127.0.0.1'] } },
};

/* --- what the tests share ------------------------------------------------- */

function connect(server, token = server.token) {
	const id = account(server, 'plivo_account');

	const client = new plivo.Client(id, token,
		{ url: `${server.url}/v1/Account/${id}` });
	client.verify_session ??= client.verifySession;
	return client;
}

/* Their classes are of a time before classes: what `new` gives is an Error, and
 * only the stack tells which of theirs was made. */
async function refused(name, message, promise) {
	try {
		await promise;
	} catch (e) {
		assert.ok(e instanceof Error);
		if (name !== 'Error')
			assert.match(e.stack, new RegExp(`new ${name} `));
		if (message instanceof RegExp)
			assert.match(`${e}`, message);
		else
			assert.equal(e.message, message);
		return;
	}
	throw new Error(`this was not refused with ${message}`);
}

await runAll('faces-plivo', tests, settings);
