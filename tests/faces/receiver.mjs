// SPDX-License-Identifier: Apache-2.0
/*
 * receiver.mjs - an application that the program asks and tells, over HTTP.
 */
import http from 'node:http';

import { within } from '../browser/server.mjs';

const WAIT_MS = 60000;

/* Whoever looks again whenever something came. */
export class Watched {
	waiting = [];

	tell() {
		this.waiting = this.waiting.filter((look) => !look());
	}

	until(what, condition) {
		return within(WAIT_MS, what, new Promise((resolve) => {
			const look = () => {
				const value = condition();
				if (value)
					resolve(value);
				return Boolean(value);
			};
			if (!look())
				this.waiting.push(look);
		}));
	}
}

/* Keeps what came, as it came; answers what `says` says, without an end where
 * it `hangs`, or not at all. */
export class Receiver extends Watched {
	came = [];
	says = () => ({ status: 204 });

	async start() {
		this.server = http.createServer((request, answer) => {
			const parts = [];
			request.on('data', (part) => parts.push(part));
			request.on('end', () => {
				const body = Buffer.concat(parts).toString('utf8');
				const one = { headers: request.headers, body,
					method: request.method,
					path: request.url,
					json: body ? JSON.parse(body) : null };
				this.came.push(one);
				const said = this.says(one);
				if (said)
					answer.writeHead(said.status, said.headers);
				if (said?.hangs)
					answer.flushHeaders();
				else if (said)
					answer.end(said.body);
				this.tell();
			});
		});
		await new Promise((up) => this.server.listen(0, '127.0.0.1', up));
		this.server.unref(); /* a test that failed does not stop it */
		this.url = `http://127.0.0.1:${this.server.address().port}`;
		return this;
	}

	of(id) {
		return this.came.filter((one) => one.json?.data?.id === id);
	}

	types(id) {
		return this.of(id).map((one) => one.json.type);
	}

	told(id, type) {
		return this.until(`${type} of ${id}`, () =>
			this.of(id).find((one) => one.json.type === type));
	}

	stop() {
		this.server.closeAllConnections();
		this.server.close();
	}
}
