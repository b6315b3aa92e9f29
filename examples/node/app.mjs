// SPDX-License-Identifier: Apache-2.0
/*
 * app.mjs - an application that verifies phone numbers with voiceotp.
 *
 *   VOICEOTP_URL=http://127.0.0.1:8080 VOICEOTP_TOKEN=vok_... node app.mjs 3000
 *   curl -d number=+15555550100 localhost:3000/dispatch_otp
 *   curl -d number=+15555550100 -d otp=482913 localhost:3000/verify_otp
 *
 * It keeps which verification belongs to whom, and nothing else: no code, no
 * count of tries, no time of expiry.  Put `pending` where your sessions are.
 */
import http from 'node:http';

const { VOICEOTP_URL, VOICEOTP_TOKEN } = process.env;
const pending = new Map(); /* number -> id */

async function voiceotp(path, body) {
	const answer = await fetch(`${VOICEOTP_URL}/v1/verifications${path}`, {
		method: 'POST',
		headers: {
			Authorization: `Bearer ${VOICEOTP_TOKEN}`,
			'Content-Type': 'application/json',
		},
		body: JSON.stringify(body),
	});
	return { ok: answer.ok, ...await answer.json() };
}

const routes = {
	async '/dispatch_otp'({ number }, clientIp) {
		const made = await voiceotp('', { to: number, client_ip: clientIp });
		if (!made.ok)
			return [422, made.detail];
		pending.set(number, made.id);
		return [200, `calling from ${made.from ?? 'a number of ours'}`];
	},

	async '/verify_otp'({ number, otp }) {
		const id = pending.get(number);
		if (!id)
			return [404, 'number not found'];
		const checked = await voiceotp(`/${id}/check`, { code: otp ?? '' });
		if (!checked.approved)
			return [422, 'number not verified'];
		pending.delete(number);
		return [200, 'number verified'];
	},
};

async function form(request) {
	let text = '';
	for await (const part of request)
		if ((text += part).length > 4096)
			throw new Error('a form that long is none of ours');
	return Object.fromEntries(new URLSearchParams(text));
}

const server = http.createServer(async (request, response) => {
	const route = request.method === 'POST' && routes[request.url];
	let status = 404, message = 'there is no such page';
	try {
		if (route)
			[status, message] = await route(await form(request),
				request.socket.remoteAddress);
	} catch (error) {
		[status, message] = [502, error.message];
	}
	response.writeHead(status, { 'Content-Type': 'application/json' })
		.end(JSON.stringify({ message }));
});
server.listen(Number(process.argv[2] ?? 3000), '127.0.0.1', () =>
	console.log(`http://127.0.0.1:${server.address().port}`));
