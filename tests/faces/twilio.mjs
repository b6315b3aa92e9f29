// SPDX-License-Identifier: Apache-2.0
/*
 * twilio.mjs - Twilio's own client, as it comes from its package, against the
 * real program: what it does with a base URL changed and nothing else.
 *
 * Each test has a server of its own and they run side by side, because a call
 * takes the time that it takes to speak.  TAP on standard output.
 */
import assert from 'node:assert/strict';

import twilio from 'twilio';

import { writeDown } from '../browser/server.mjs';
import { account, ended, happened, other, runAll, spoken }
	from './house.mjs';
import { Phone } from './phone.mjs';

const SANDBOX = '+1555555';
const PAGE = `${SANDBOX}0100`, LISTENS = `${SANDBOX}0110`,
	BUSY = `${SANDBOX}0120`, RINGS = `${SANDBOX}0121`;
const NOBODYS = '0'.repeat(32);

const tests = {
	async a_code_is_heard_and_approved_once(server) {
		const phone = await Phone.open(server);
		const client = connect(server);
		const service = await client.verify.v2.services.create({
			friendlyName: 'Acme', codeLength: 6 });
		const one = client.verify.v2.services(service.sid);

		const started = await one.verifications.create({
			to: PAGE, channel: 'call', locale: 'en' });
		assert.equal(started.status, 'pending');
		assert.equal(started.valid, false);
		assert.equal(started.to, PAGE);
		assert.equal(started.channel, 'call');
		assert.match(started.sid, /^VE[0-9a-f]{32}$/);
		assert.match(started.sendCodeAttempts[0].attempt_sid, /^VL/);
		assert.ok(Math.abs(started.dateCreated - Date.now()) < 60000);

		const code = await phone.takesTheCode();
		await spoken(server, PAGE);
		const wrong = await check(one, PAGE, other(code));
		assert.equal(wrong.status, 'pending');
		assert.equal(wrong.valid, false);
		assert.equal(wrong.sid, started.sid);
		const right = await check(one, PAGE, code);
		assert.equal(right.status, 'approved');
		assert.equal(right.valid, true);
		const again = await refused(check(one, PAGE, code), 404, 20404);
		assert.equal(again.message, `The requested resource /Services/${
			service.sid}/VerificationCheck was not found`);

		const read = await one.verifications(started.sid).fetch();
		assert.equal(read.status, 'approved');
		assert.equal(read.valid, true);
		phone.close();
	},

	async an_extension_is_dialled_before_the_first_word(server) {
		const phone = await Phone.open(server);
		const client = connect(server);
		const service = await client.verify.v2.services.create({
			friendlyName: 'Acme' });
		const one = client.verify.v2.services(service.sid);

		await one.verifications.create({
			to: PAGE, channel: 'call', sendDigits: 'ww1234#' });
		await phone.answers();
		const keys = await phone.hears('play');
		assert.deepEqual(keys.captions.map((c) => c[1]),
			['keys sent: 1234#']);
		const code = await phone.hearsTheCode();
		await spoken(server, PAGE);
		assert.equal((await check(one, PAGE, code)).status, 'approved');
		phone.close();
	},

	async a_code_of_ones_own_is_spoken_and_its_call_is_an_attempt(server) {
		const client = connect(server);
		const service = await client.verify.v2.services.create({
			friendlyName: 'Acme', customCodeEnabled: true });
		const one = client.verify.v2.services(service.sid);

		writeDown('code', '408217');
		const started = await one.verifications.create({
			to: LISTENS, channel: 'call', customCode: '408217',
			tags: JSON.stringify({ plan: 'gold' }) });
		await spoken(server, LISTENS);
		const right = await one.verificationChecks.create({
			verificationSid: started.sid, code: '408217' });
		assert.equal(right.valid, true);
		await ended(server, LISTENS);

		const attempts = await client.verify.v2.verificationAttempts.list({
			verifyServiceSid: service.sid, limit: 20 });
		assert.equal(attempts.length, 1);
		const [attempt] = attempts;
		assert.equal(attempt.sid, started.sendCodeAttempts[0].attempt_sid);
		assert.equal(attempt.verificationSid, started.sid);
		assert.equal(attempt.conversionStatus, 'converted');
		assert.equal(attempt.channel, 'call');
		assert.equal(attempt.channelData.call_status, 'completed');
		const same = await client.verify.v2
			.verificationAttempts(attempt.sid).fetch();
		assert.deepEqual(same.toJSON(), attempt.toJSON());
		const none = await client.verify.v2.verificationAttempts.list({
			channel: 'sms' });
		assert.deepEqual(none, []);
		await refused(client.verify.v2
			.verificationAttempts(`VL${NOBODYS}`).fetch(), 404, 20404);
	},

	async a_payment_is_bound_to_its_amount(server) {
		const client = connect(server);
		const service = await client.verify.v2.services.create({
			friendlyName: 'Acme', psd2Enabled: true,
			customCodeEnabled: true });
		const one = client.verify.v2.services(service.sid);
		const paid = { amount: '€39.99', payee: 'Acme Inc.' };

		await refused(one.verifications.create({
			to: LISTENS, channel: 'call' }), 400, 60206);
		writeDown('code', '530911');
		const started = await one.verifications.create({
			to: LISTENS, channel: 'call', customCode: '530911', ...paid });
		assert.equal(started.amount, paid.amount);
		assert.equal(started.payee, paid.payee);
		await spoken(server, LISTENS);
		await refused(check(one, LISTENS, '530911'), 400, 60206);
		const less = await check(one, LISTENS, '530911',
			{ ...paid, amount: '€39.98' });
		assert.equal(less.valid, false);
		const right = await check(one, LISTENS, '530911', paid);
		assert.equal(right.valid, true);
	},

	async too_many_wrong_codes_and_too_many_calls_are_said(server) {
		const client = connect(server);
		const service = await client.verify.v2.services.create({
			friendlyName: 'Acme', customCodeEnabled: true });
		const one = client.verify.v2.services(service.sid);

		writeDown('code', '619074');
		await one.verifications.create({
			to: LISTENS, channel: 'call', customCode: '619074' });
		await spoken(server, LISTENS);
		assert.equal((await check(one, LISTENS, '111111')).status, 'pending');
		assert.equal((await check(one, LISTENS, '222222')).status,
			'max_attempts_reached');
		await refused(check(one, LISTENS, '619074'), 429, 60202);

		let sid;
		for (let sends = 0; sends < 5; sends++) {
			const sent = await one.verifications.create({
				to: BUSY, channel: 'call' });
			assert.equal(sent.sid, sid ??= sent.sid);
			await ended(server, BUSY);
		}
		await refused(one.verifications.create({
			to: BUSY, channel: 'call' }), 429, 60203);
		const calls = await client.verify.v2.verificationAttempts.list({
			verificationSid: sid });
		assert.equal(calls.length, 5);
		assert.ok(calls.every((c) =>
			c.channelData.call_status === 'busy' &&
			c.conversionStatus === 'unconverted'));
		const summary = await client.verify.v2
			.verificationAttemptsSummary()
			.fetch({ verifyServiceSid: service.sid, channel: 'call' });
		assert.equal(summary.totalAttempts, 6);
		assert.equal(summary.totalConverted, 0);
		assert.equal(Number(summary.conversionRatePercentage), 0);
	},

	async an_expired_code_is_not_found(server) {
		const client = connect(server);
		const service = await client.verify.v2.services.create({
			friendlyName: 'Acme', customCodeEnabled: true });
		const one = client.verify.v2.services(service.sid);

		writeDown('code', '772043');
		const started = await one.verifications.create({
			to: RINGS, channel: 'call', customCode: '772043' });
		await happened(server, RINGS, 'verification\\.expired',
			{ ms: 120000 });
		await refused(check(one, RINGS, '772043'), 404, 20404);
		const read = await one.verifications(started.sid).fetch();
		assert.equal(read.status, 'expired');
	},

	async what_cannot_be_is_refused_in_its_own_numbers(server) {
		const client = connect(server);
		const { services } = client.verify.v2;
		const service = await services.create({ friendlyName: 'Acme' });
		const one = services(service.sid);
		const call = (more) => one.verifications.create({
			to: BUSY, channel: 'call', ...more });

		await refused(call({ to: 'nobody' }), 400, 60200);
		await refused(call({ channel: 'pigeon' }), 400, 60200);
		await refused(call({ channel: 'sms' }), 400, 60204);
		await refused(call({ channel: 'email' }), 400, 60204);
		await refused(call({ customCode: '123456' }), 400, 60204);
		await refused(call({ sendDigits: '12-34' }), 400, 60200);
		await refused(call({ customMessage: 'hello' }), 400, 60204);
		await refused(call({ amount: '5' }), 400, 60206);
		const abroad = await refused(call({ to: '+4915123456789' }),
			403, 60605);
		assert.equal(abroad.moreInfo,
			'https://www.twilio.com/docs/errors/60605');
		await refused(services.create({ friendlyName: 'x'.repeat(33) }),
			400, 60200);
		await refused(services.create({ friendlyName: 'A', codeLength: 4 }),
			400, 60200);
		await refused(services(`VA${NOBODYS}`).fetch(), 404, 20404);
		await refused(services(`VA${NOBODYS}`).verifications.create({
			to: BUSY, channel: 'call' }), 404, 20404);
		await refused(check(one, BUSY, '123456'), 404, 20404);
		await refused(one.verifications(`VE${NOBODYS}`).fetch(),
			404, 20404);

		const bad = twilio(client.accountSid, 'not the token');
		bad.verify.baseUrl = server.url;
		await refused(bad.verify.v2.services.create({ friendlyName: 'A' }),
			401, 20003);
	},

	async services_and_numbers_in_paths_are_as_they_are_there(server) {
		const client = connect(server);
		const { services } = client.verify.v2;
		const made = [];

		for (const friendlyName of ['One', 'Two', 'Three'])
			made.push(await services.create({ friendlyName }));
		const listed = await services.list({ pageSize: 2 });
		assert.deepEqual(listed.map((s) => s.sid).sort(),
			made.map((s) => s.sid).sort());

		const one = services(made[0].sid);
		const changed = await one.update({
			friendlyName: 'Uno', ttsName: 'Oo no', dtmfInputRequired: false });
		assert.equal(changed.friendlyName, 'Uno');
		assert.equal(changed.ttsName, 'Oo no');
		assert.equal(changed.dtmfInputRequired, false);
		assert.ok(changed.links.verification_checks
			.startsWith(`${server.url}/v2/Services/VA`));

		const started = await one.verifications.create({
			to: BUSY, channel: 'call' });
		const byNumber = await one.verifications(BUSY).fetch();
		assert.equal(byNumber.sid, started.sid);
		await refused(one.verifications(BUSY).update({ status: 'approved' }),
			400, 60204);
		const canceled = await one.verifications(BUSY)
			.update({ status: 'canceled' });
		assert.equal(canceled.status, 'canceled');
		await refused(one.verifications(BUSY).update({ status: 'canceled' }),
			404, 20404);

		assert.equal(await one.remove(), true);
		await refused(one.fetch(), 404, 20404);
	},

	async a_rate_limit_counts_what_the_caller_names(server) {
		const client = connect(server);
		const service = await client.verify.v2.services.create({
			friendlyName: 'Acme' });
		const one = client.verify.v2.services(service.sid);
		const limit = await one.rateLimits.create({
			uniqueName: 'end_user', description: 'by user' });
		const at = one.rateLimits(limit.sid);

		await refused(one.rateLimits.create({ uniqueName: 'end_user' }),
			400, 60208);
		const bucket = await at.buckets.create({ max: 1, interval: 600 });
		await refused(at.buckets.create({ max: 2, interval: 600 }),
			400, 60211);
		assert.equal((await at.buckets.list()).length, 1);
		assert.equal((await one.rateLimits.list()).length, 1);

		const call = (to, user) => one.verifications.create({
			to, channel: 'call',
			rateLimits: JSON.stringify({ end_user: user }) });
		await call(BUSY, 'ann');
		await refused(call(RINGS, 'ann'), 429, 20429);
		await call(RINGS, 'ben');

		assert.equal((await at.buckets(bucket.sid).update({ max: 9 })).max,
			9);
		assert.equal(await at.buckets(bucket.sid).remove(), true);
		assert.equal(await at.remove(), true);
		await refused(at.fetch(), 404, 20404);
	},
};

const settings = {
	too_many_wrong_codes_and_too_many_calls_are_said:
		{ code: { wrong_checks: 2 } },
	an_expired_code_is_not_found: { code: { ttl_s: 60 } },
};

/* --- what the tests share ------------------------------------------------- */

/* The client as its manual says, but for the base URL. */
function connect(server) {
	const client = twilio(account(server, 'twilio_account'), server.token);

	client.verify.baseUrl = server.url;
	return client;
}

/* It fails, as what, and with which numbers. */
async function refused(promise, status, code) {
	try {
		await promise;
	} catch (e) {
		assert.equal(e.constructor.name, 'RestException', `${e.stack}`);
		assert.ok(e instanceof Error);
		assert.deepEqual([e.status, e.code], [status, code], e.message);
		return e;
	}
	throw new Error(`this was not refused with ${code}`);
}

function check(service, to, code, more) {
	return service.verificationChecks.create({ to, code, ...more });
}

await runAll('faces-twilio', tests, settings);
