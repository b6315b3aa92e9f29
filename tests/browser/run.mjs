// SPDX-License-Identifier: Apache-2.0
/*
 * run.mjs - the phone page in real Chromium, against the real program.
 *
 * What a newcomer does, and what a person with another window, no mouse or
 * another light does.  Each test has a server of its own and they run side by
 * side, because a call takes the time that it takes to speak.  TAP on standard
 * output.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

import { chromium } from 'playwright-core';

import { Person } from './page.mjs';
import { Server, cleanKept, within, writeDown } from './server.mjs';

const TEST_MS = 150000;
const LOUD = 0.01; /* of full scale; speech is ten times that */
const program = process.env.CHROMIUM || '/usr/bin/chromium';

const tests = {
	async a_code_is_heard_and_approved_once(server, browser) {
		const person = await Person.open(browser, server.phone());
		const id = await server.create();

		await person.rings();
		assert.equal(await person.page.title(), 'Incoming call');
		await person.at('answer').click();
		for (const key of await person.keys())
			await person.click(key);
		const code = await person.code();
		writeDown('code', code);

		const wrong = String((Number(code) + 1) % 1e6).padStart(6, '0');
		assert.equal((await server.check(id, wrong)).approved, false);
		assert.equal((await server.check(id, code)).approved, true);
		assert.equal((await server.check(id, code)).approved, false);
		assert.equal((await server.read(id)).status, 'approved');

		const heard = await person.heard();
		assert.ok(heard.sounds >= 2, `${heard.sounds} sounds`);
		assert.ok(heard.longest > 3, `${heard.longest} s at most`);
		assert.ok(heard.loudest > LOUD, `as loud as ${heard.loudest}`);
		assert.ok(heard.advanced > 3, `${heard.advanced} s played`);
		const all = await person.captions();
		assert.match(all, /This is Acme, with the sign-in code/);
		assert.match(all, /press nine, or hang up/);

		await person.at('hangup').click();
		await person.over();
		assert.match(await person.status(), /You hung up/);
		await clean(person);
	},

	async the_keyboard_alone_is_enough(server, browser) {
		const id = await server.create();
		const person = await Person.open(browser, server.phone(),
			{ colorScheme: 'dark' });
		const press = (key) => person.page.keyboard.press(key);

		/* the page was opened while it rang */
		await person.rings();
		await tabTo(person, 'answer');
		await press('Enter');
		for (const key of await person.keys())
			await press(key);
		const code = await person.code();
		writeDown('code', code);

		assert.equal((await server.check(id, code)).approved, true);
		await tabTo(person, 'hangup');
		await press('Enter');
		await person.over();
		await clean(person);
	},

	async wrong_keys_hear_no_code(server, browser) {
		const person = await Person.open(browser, server.phone());
		const id = await server.create();

		await person.rings();
		await person.at('answer').click();
		for (const key of await person.keys())
			await person.click(key === '1' ? '2' : '1');
		await person.reads(/(That did not match)\./);
		await person.at('hangup').click();
		await person.over();

		assert.doesNotMatch(await person.captions(), /Your code is/);
		const { calls } = await ended(server, id);
		assert.notEqual(calls[0].outcome, 'answered');
		await clean(person);
	},

	async a_nine_says_this_was_not_me(server, browser) {
		const person = await Person.open(browser, server.phone());
		const id = await server.create();

		await person.rings();
		await person.at('answer').click();
		await person.reads(/(press nine), or hang up\./);
		await person.click('9');
		await person.over();

		const record = await ended(server, id);
		assert.equal(record.status, 'canceled');
		assert.equal(record.calls[0].outcome, 'reported');
		await clean(person);
	},

	async a_call_is_declined(server, browser) {
		const person = await Person.open(browser, server.phone());
		const id = await server.create();

		await person.rings();
		await person.at('decline').click();
		await person.at('answer').waitFor({ state: 'hidden' });

		const record = await ended(server, id);
		assert.equal(record.calls[0].outcome, 'declined');
		assert.match(await person.status(), /declined/);
		await clean(person);
	},

	async the_first_page_to_answer_has_the_call(server, browser) {
		const first = await Person.open(browser, server.phone());
		const next = await server.until(
			() => server.links().length > 1 && server.phone(),
			10000, 'another link');
		const second = await Person.open(browser, next);
		await server.create();

		await Promise.all([first.rings(), second.rings()]);
		await first.at('answer').click();
		await second.at('answer').waitFor({ state: 'hidden' });
		assert.match(await second.status(), /another page/);
		await first.at('hangup').click();
		await clean(first, second);
	},

	async a_page_without_its_link_is_no_phone(server, browser) {
		const used = server.phone();
		const first = await Person.open(browser, used);
		const second = await Person.open(browser, used);

		await second.at('trouble').waitFor();
		assert.match(await second.at('trouble').innerText(),
			/Open the link/);
		await first.close();
		await second.close(); /* a 401 in its console is as it should be */
	},

	async a_small_window_and_every_light_are_without_barriers(
		server, browser) {
		const small = { width: 320, height: 568 };
		for (const [n, colorScheme] of ['light', 'dark'].entries()) {
			await server.until(() => server.links().length > n, 10000,
				'another link');
			const person = await Person.open(browser, server.phone(),
				{ colorScheme, viewport: small });
			await looksRight(person, colorScheme, 'waiting');
			await server.create();
			await person.rings();
			await looksRight(person, colorScheme, 'ringing');
			await person.at('answer').click();
			await person.reads(/(Hello)\./);
			await looksRight(person, colorScheme, 'in a call');
			await person.at('hangup').click();
			await person.over();
			await looksRight(person, colorScheme, 'after a call');
			await clean(person);
		}
	},
};

/* --- what the tests share ------------------------------------------------- */

async function clean(...people) {
	for (const person of people) {
		assert.deepEqual(person.errors, [], 'errors in the page');
		assert.deepEqual(await person.refused(), [], 'refused by policy');
		await person.close();
	}
}

async function looksRight(person, colorScheme, when) {
	assert.deepEqual(await person.barriers(), [], when);
	assert.equal(await person.scrollsSideways(), false, when);
	assert.equal(await person.looksDark(), colorScheme === 'dark', when);
}

async function tabTo(person, id) {
	const has = () => person.page.evaluate(() => document.activeElement.id);
	for (let tabs = 0; tabs < 30 && await has() !== id; tabs++)
		await person.page.keyboard.press('Tab');
	assert.equal(await has(), id, 'Tab does not get there');
}

/* The record, once its call has ended: its events say when. */
async function ended(server, id) {
	const events = await fetch(
		`${server.url}/v1/verifications/${id}/events`, {
			headers: { Authorization: `Bearer ${server.token}` },
			signal: AbortSignal.timeout(20000),
		});
	let text = '';
	for await (const part of events.body) {
		text += Buffer.from(part).toString();
		if (/^event: ?call\.ended$/m.test(text))
			break;
	}
	return server.read(id);
}

/* --- running them ----------------------------------------------------------- */

async function one(name, browser) {
	const server = new Server(name);
	const began = performance.now();
	let why = null;

	try {
		await server.start();
		await within(TEST_MS, name, tests[name](server, browser));
	} catch (e) {
		why = e;
	} finally {
		await server.stop();
	}
	return { why, seconds: (performance.now() - began) / 1000 };
}

async function main() {
	const profile = fs.mkdtempSync(path.join(os.tmpdir(), 'voiceotp-'));
	const names = Object.keys(tests);
	let n = 0, red = 0;

	cleanKept();
	console.log(`1..${names.length}`);
	const browser = await chromium.launch({
		executablePath: program,
		headless: true,
		chromiumSandbox: false, /* it does not start as root with it */
		env: { ...process.env, HOME: profile },
		args: [
			'--disable-gpu', '--disable-quic', '--no-first-run',
			'--disable-background-networking',
			'--disable-component-update', '--disable-sync',
			/* what a desktop has: sound needs a click */
			'--autoplay-policy=document-user-activation-required',
		],
	});
	try {
		await Promise.all(names.map(async (name) => {
			const { why, seconds } = await one(name, browser);
			if (why) {
				red++;
				console.log(`${why.stack || why}`
					.replace(/^/gm, '# '));
			}
			console.log(`${why ? 'not ' : ''}ok ${++n} - ${name} # ${
				seconds.toFixed(1)} s`);
		}));
	} finally {
		await browser.close();
		fs.rmSync(profile, { recursive: true, force: true });
	}
	process.exitCode = red ? 1 : 0;
}

await main();
