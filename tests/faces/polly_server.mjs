// SPDX-License-Identifier: Apache-2.0
/*
 * polly_server.mjs - a stand-in for Amazon Polly, which computes each request's
 * signature anew with a library that is not ours, and answers real speech.
 *
 * What it does next can be queued: throttle, fail, hang, answer too much.  It
 * refuses as Polly does, and a wrong signature as Amazon does: with all that
 * was signed, the session's token among it.
 */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import aws4 from 'aws4';

const region = 'eu-west-1';

/* `kal` speaks at 8 kHz, 16 bit, mono.  Into a file: flite goes back in it. */
function sound(text, file) {
	fs.writeFileSync(`${file}.txt`, `${text}\n`);
	spawnSync('flite', ['-voice', 'kal', '-f', `${file}.txt`, '-o', file]);
	return fs.readFileSync(file).subarray(44);
}

export class PollyServer {
	/* `file` is where a text becomes sound. */
	constructor(keys, file) {
		this.keys = keys;
		this.file = file;
		this.asked = []; /* bodies that were accepted */
		this.seen = 0;   /* requests of any kind */
		this.refused = [];
		this.next = [];  /* what to do instead of answering */
		this.hanging = [];
		this.cache = new Map();
	}

	async start() {
		this.http = http.createServer((req, res) => {
			const parts = [];
			req.on('data', (part) => parts.push(part));
			req.on('end', () =>
				this.take(req, Buffer.concat(parts).toString(), res));
		});
		await new Promise((done) =>
			this.http.listen(0, '127.0.0.1', done));
		this.port = this.http.address().port;
		this.url = `http://127.0.0.1:${this.port}`;
		return this;
	}

	stop() {
		this.http.closeAllConnections();
		this.http.close();
	}

	refuse(res, status, type, message) {
		res.writeHead(status, {
			'Content-Type': 'application/json',
			'x-amzn-ErrorType': type,
		});
		res.end(JSON.stringify({ message }));
	}

	/* What aws4 makes of the headers that the request says it signed. */
	signature(req, body) {
		const given = req.headers.authorization ?? '';
		const names = /SignedHeaders=([^,]+)/.exec(given)?.[1].split(';');
		const headers = {};
		for (const name of names ?? [])
			headers[name] = req.headers[name];
		const again = aws4.sign({
			host: req.headers.host, path: req.url, method: req.method,
			service: 'polly', region, headers, body,
			extraHeadersToIgnore: { 'content-length': true },
		}, {
			accessKeyId: this.keys.id,
			secretAccessKey: this.keys.secret,
		});
		return { given, own: again.headers.Authorization, names };
	}

	take(req, body, res) {
		const { given, own, names } = this.signature(req, body);
		this.seen++;
		if (given !== own) {
			this.refused.push({ given, own });
			this.refuse(res, 403, 'InvalidSignatureException:http://x/',
				'The request signature we calculated does not match ' +
				'the signature you provided. Check your AWS Secret ' +
				'Access Key and signing method.\n\nThe Canonical ' +
				`String for this request should have been\n'POST\n` +
				`${JSON.stringify(req.headers)}'`);
			return;
		}
		for (const name of ['host', 'x-amz-date', 'x-amz-content-sha256'])
			if (!names.includes(name))
				throw new Error(`${name} was not signed`);
		if (this.keys.token &&
		    (req.headers['x-amz-security-token'] !== this.keys.token ||
		     !names.includes('x-amz-security-token'))) {
			this.refuse(res, 403, 'UnrecognizedClientException',
				'The security token included in the request is invalid.');
			return;
		}
		this.answer(req, JSON.parse(body), res);
	}

	answer(req, ask, res) {
		const pcm = { 'Content-Type': 'audio/pcm' };
		switch (this.next.shift()) {
		case 'throttle':
			return this.refuse(res, 400, 'ThrottlingException',
				'Rate exceeded');
		case 'fail':
			return this.refuse(res, 500, 'ServiceFailureException',
				'Internal failure');
		case 'quote':
			return this.refuse(res, 400, 'ValidationException',
				`Value '${ask.Text}' at 'text' is not to our taste`);
		case 'hang':
			this.hanging.push(res);
			this.hung?.();
			return undefined;
		case 'flood':
			res.writeHead(200, pcm);
			return res.end(Buffer.alloc(9 << 20, 1));
		case 'html':
			res.writeHead(200, { 'Content-Type': 'text/html' });
			return res.end('<p>Hello</p>');
		case 'odd':
			res.writeHead(200, pcm);
			return res.end(Buffer.alloc(3, 1));
		case 'empty':
			res.writeHead(200, pcm);
			return res.end();
		case 'silence':
			res.writeHead(200, pcm);
			return res.end(Buffer.alloc(8000));
		default:
			break;
		}
		this.asked.push(ask);
		const text = ask.Text.replace(/<[^>]*>/g, ' ');
		if (!this.cache.has(text))
			this.cache.set(text, sound(text, this.file));
		res.writeHead(200, pcm);
		return res.end(this.cache.get(text));
	}
}
