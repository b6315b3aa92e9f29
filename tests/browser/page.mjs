// SPDX-License-Identifier: Apache-2.0
/*
 * page.mjs - a person at the phone page, in a real browser.
 *
 * Knows the page by the ids that its author promised, sees what a person sees,
 * and notes what a person would not: errors, refused content, silence.
 */
import { createRequire } from 'node:module';
import fs from 'node:fs';

const require = createRequire(import.meta.url);
const axe = fs.readFileSync(require.resolve('axe-core'), 'utf8');

export const RING_MS = 15000;
const SAID_MS = 45000; /* the longest prompt, and the one before */

/*
 * Runs in the page before its own script: listens to what is sent to the
 * loudspeaker, without a change to it, and to what the policy refused.
 */
function eavesdrop() {
	const heard = { loudest: 0, sounds: 0, longest: 0, advanced: 0,
		playing: 0 };
	const refused = [];
	const connect = AudioNode.prototype.connect;
	const start = AudioBufferSourceNode.prototype.start;

	Object.defineProperty(window, 'heard', { value: heard });
	Object.defineProperty(window, 'refused', { value: refused });
	addEventListener('securitypolicyviolation', (e) =>
		refused.push(`${e.violatedDirective} ${e.blockedURI}`));

	function meter(context, node) {
		const ear = context.createAnalyser();
		const wave = new Float32Array(ear.fftSize);
		const began = context.currentTime;

		connect.call(node, ear);
		setInterval(() => {
			ear.getFloatTimeDomainData(wave);
			const power = wave.reduce((sum, x) => sum + x * x, 0);
			heard.loudest = Math.max(heard.loudest,
				Math.sqrt(power / wave.length));
			heard.advanced = context.currentTime - began;
		}, 50);
	}
	AudioBufferSourceNode.prototype.start = function (...args) {
		heard.sounds++;
		heard.playing++;
		this.addEventListener('ended', () => heard.playing--);
		heard.longest = Math.max(heard.longest, this.buffer.duration);
		meter(this.context, this);
		return start.apply(this, args);
	};
}

export class Person {
	/* `how` goes to the browser: viewport, colorScheme, ... */
	static async open(browser, url, how = {}) {
		const person = new Person();
		person.context = await browser.newContext(how);
		await person.context.addInitScript(eavesdrop);
		person.page = await person.context.newPage();
		person.errors = [];
		person.page.on('pageerror', (e) => person.errors.push(`${e}`));
		person.page.on('console', (m) => {
			if (m.type() === 'error' || m.type() === 'warning')
				person.errors.push(m.text());
		});
		await person.page.goto(url);
		await person.page.waitForFunction(() =>
			document.getElementById('phone').dataset.state !==
			'starting');
		return person;
	}

	at(id) {
		return this.page.locator(`#${id}`);
	}

	async rings() {
		await this.at('answer').waitFor({ timeout: RING_MS });
	}

	async captions() {
		return (await this.at('captions').innerText()).replace(/\s+/g, ' ');
	}

	/* Until the captions match; the groups that did, as digits. */
	async reads(pattern) {
		try {
			await this.page.waitForFunction((source) =>
				new RegExp(source).test(
					document.getElementById('captions')
						.innerText.replace(/\s+/g, ' ')),
			pattern.source, { timeout: SAID_MS });
		} catch {
			throw new Error(`no ${pattern} in what was said: ${
				await this.captions()}`);
		}
		return (await this.captions()).match(pattern).slice(1)
			.map((group) => group.replace(/\D/g, ''));
	}

	/* The three keys, once the last of them was said to its end. */
	async keys() {
		const [keys] = await this.reads(/press[: ]+((?:\d ?){3})/);
		await this.page.waitForFunction(
			() => window.heard.playing === 0, null, { polling: 50 });
		return keys;
	}

	async code() {
		const digits = '((?:\\d[ ,]*){6})';
		const [code, again] = await this.reads(new RegExp(
			`Your code is[: ]+${digits}[. ]+Again[: ]+${digits}`));
		if (code !== again)
			throw new Error('the code was said in two ways');
		return code;
	}

	async click(key) {
		await this.at(`key-${key}`).click();
	}

	async status() {
		return this.at('status').innerText();
	}

	async over() {
		await this.at('hangup').waitFor({ state: 'hidden' });
	}

	async heard() {
		return this.page.evaluate(() => window.heard);
	}

	async refused() {
		return this.page.evaluate(() => window.refused);
	}

	/* Is the page wider than the window? */
	async scrollsSideways() {
		return this.page.evaluate(() =>
			document.documentElement.scrollWidth > innerWidth);
	}

	async looksDark() {
		return this.page.evaluate(() => {
			const [r, g, b] = getComputedStyle(
				document.getElementById('phone')).backgroundColor
				.match(/\d+/g).map(Number);
			return r + g + b < 3 * 64;
		});
	}

	/* What axe-core says is wrong, in words. */
	async barriers() {
		await this.page.evaluate(axe);
		const found = await this.page.evaluate(() => window.axe.run());
		return found.violations.map((v) =>
			`${v.id}: ${v.help} (${v.nodes.map((n) => n.target)})`);
	}

	async close() {
		await this.context.close();
	}
}
