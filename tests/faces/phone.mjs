// SPDX-License-Identifier: Apache-2.0
/*
 * phone.mjs - a person at the phone page, without the page: what its script
 * asks for and is told, and nothing else.
 *
 * It reads what is said from the captions, as a person who hears badly does.
 */
import http from 'node:http';
import readline from 'node:readline';

import { within, writeDown } from '../browser/server.mjs';

const SAID_MS = 60000;

/* A loudspeaker takes as long as the sound is: keys that were pressed before
 * they could be heard are nobody's. */
function played(play) {
	return new Promise((end) => setTimeout(end, play.ms - play.at_ms));
}

export class Phone {
	static async open(server) {
		const phone = new Phone();
		phone.url = server.url;
		phone.told = [];
		phone.waiting = [];
		const token = server.phone().split('#')[1];
		const session = await phone.post('/phone/session', { token });
		phone.cookie = session.headers['set-cookie'][0].split(';')[0];
		phone.listen();
		phone.page = (await phone.hears('ready')).page;
		return phone;
	}

	ask(method, where, body) {
		return new Promise((resolve, refuse) => {
			const asked = http.request(this.url + where, {
				method,
				headers: {
					Origin: this.url,
					Cookie: this.cookie || '',
					'Content-Type': 'application/json',
				},
			}, resolve);
			asked.on('error', refuse);
			asked.end(body && JSON.stringify(body));
		});
	}

	async post(where, body) {
		const answer = await this.ask('POST', where, body);
		answer.resume();
		if (answer.statusCode >= 300)
			throw new Error(`${where} answered ${answer.statusCode}`);
		return answer;
	}

	async listen() {
		this.events = await this.ask('GET', '/phone/events');
		let kind = '';
		readline.createInterface({ input: this.events })
			.on('line', (line) => {
				const [name, value] = line.split(/: ?(.*)/s);
				if (name === 'event')
					kind = value;
				else if (name === 'data')
					this.told.push([kind, JSON.parse(value)]);
				this.waiting = this.waiting.filter((l) => !l());
			}).on('error', () => {});
		this.events.on('error', () => {});
	}

	/* The next event of a kind, of which `fits` is true. */
	hears(kind, fits = () => true) {
		return within(SAID_MS, kind, new Promise((resolve) => {
			const look = () => {
				const i = this.told.findIndex(([k, d]) =>
					k === kind && fits(d));
				if (i < 0)
					return false;
				resolve(this.told.splice(i, 1)[0][1]);
				return true;
			};
			if (!look())
				this.waiting.push(look);
		}));
	}

	/* What was said that matches; its first group as digits, and the play. */
	async reads(pattern) {
		const text = (d) => d.captions.map((c) => c[1]).join(' ')
			.replace(/\s+/g, ' ');
		const play = await this.hears('play', (d) =>
			pattern.test(text(d)));
		return [text(play).match(pattern)[1].replace(/\D/g, ''), play];
	}

	act(what, more) {
		return this.post(`/phone/calls/${this.call}/${what}`,
			{ page: this.page, ...more });
	}

	async answers() {
		this.call = (await this.hears('ring')).call;
		await this.act('answer');
	}

	/* Answers, does what is asked for, and comes away with the code. */
	async takesTheCode() {
		await this.answers();
		return this.hearsTheCode();
	}

	async hearsTheCode() {
		const [keys, play] = await this.reads(/press[: ]+((?:\d ?){3})/);
		await played(play);
		for (const key of keys)
			await this.act('key',
				{ key, play: play.play, at_ms: play.ms });
		const [code] = await this.reads(/Your code is[: ]+((?:\d[ ,]*){6})/);
		writeDown('code', code);
		return code;
	}

	close() {
		this.events.destroy();
	}
}
