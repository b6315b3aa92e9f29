// SPDX-License-Identifier: Apache-2.0
/*
 * examples.mjs - the applications of examples/, as a reader would start them:
 * a number is dispatched, the page's phone hears the code, the code verifies.
 */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import readline from 'node:readline';
import { fileURLToPath } from 'node:url';

import { within, writeDown } from '../browser/server.mjs';
import { other, runAll, spoken } from './house.mjs';
import { Phone } from './phone.mjs';

const PAGE = '+15555550100', BUSY = '+15555550120';
const START_MS = 60000; /* Rails takes its time on a busy machine */

class App {
	static async start(server, command, file) {
		const app = new App();
		const path = fileURLToPath(new URL(`../../examples/${file}`,
			import.meta.url));
		app.child = spawn(command, [path, '0'], {
			env: { ...process.env, VOICEOTP_URL: server.url,
				VOICEOTP_TOKEN: server.token },
			stdio: ['ignore', 'pipe', 'inherit'],
		});
		const lines = readline.createInterface({ input: app.child.stdout });
		app.url = await within(START_MS, `${command} ${file}`,
			new Promise((resolve, refuse) => {
				lines.once('line', resolve);
				app.child.once('exit', (code) => refuse(
					new Error(`${file} ended with ${code}`)));
			}));
		return app;
	}

	async post(path, form) {
		const answer = await fetch(this.url + path, { method: 'POST',
			body: new URLSearchParams(form) });
		return [answer.status, (await answer.json()).message];
	}

	async stop() {
		const ended = new Promise((end) => this.child.once('exit', end));
		this.child.kill('SIGKILL');
		await ended;
	}
}

async function verifies(server, command, file) {
	const phone = await Phone.open(server);
	const app = await App.start(server, command, file);
	const verify = (otp) => app.post('/verify_otp', { number: PAGE, otp });

	try {
		assert.deepEqual(await verify('123456'), [404, 'number not found']);
		assert.equal((await app.post('/dispatch_otp',
			{ number: 'nobody' }))[0], 422);
		writeDown('number', PAGE);
		const [status, message] = await app.post('/dispatch_otp',
			{ number: PAGE });
		assert.equal(status, 200, message);
		assert.match(message, /^calling from /);
		const code = await phone.takesTheCode();
		await spoken(server, PAGE);
		assert.deepEqual(await verify(other(code)),
			[422, 'number not verified']);
		assert.deepEqual(await verify(''), [422, 'number not verified']);
		assert.deepEqual(await verify(code), [200, 'number verified']);
		assert.deepEqual(await verify(code), [404, 'number not found']);
		assert.equal((await app.post('/dispatch_otp',
			{ number: BUSY }))[0], 200);
	} finally {
		await app.stop();
		phone.close();
	}
}

const tests = {
	node_verifies_a_number: (server) =>
		verifies(server, process.execPath, 'node/app.mjs'),
	python_verifies_a_number: (server) =>
		verifies(server, 'python3', 'python/app.py'),
};

/* Rails, where Debian's is installed: `make test` does that. */
if (spawnSync('ruby', ['-e', 'require "action_controller/railtie"']).status === 0)
	tests.rails_verifies_a_number = (server) =>
		verifies(server, 'ruby', 'rails/app.rb');

await runAll('faces-examples', tests, {});
