// SPDX-License-Identifier: Apache-2.0
/*
 * polly.mjs - the real program with a voice of Amazon's, against a stand-in
 * that checks each signature.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { PollyServer } from './polly_server.mjs';

const own = path.join(process.env.VOICEOTP_BUILD, 'kept', 'faces-polly');
const keys = {
	id: 'AKIDEXAMPLEEXAMPLE00',
	secret: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
	token: `FwoGZXIvYXdzE${'Token/+='.repeat(40)}`,
};
const DIGITS = 20; /* ten, in two tones */
const digitWords = ['zero', 'one', 'two', 'three', 'four', 'five', 'six',
	'seven', 'eight', 'nine'];
let polly;

fs.rmSync(own, { recursive: true, force: true });
fs.mkdirSync(own, { recursive: true });
fs.writeFileSync(path.join(own, 'secrets.list'),
	`token ${keys.secret}\ntoken ${keys.token}\n`, { mode: 0o600 });

function settings(name, polly_, more) {
	const dir = path.join(own, name);
	fs.mkdirSync(dir, { recursive: true });
	fs.writeFileSync(path.join(dir, 'voiceotp.yaml'), JSON.stringify({
		cache_dir: path.join(dir, 'cache'),
		voices: { en: 'Polly.Amy' },
		polly: { region: 'eu-west-1', endpoint: polly.url, ...polly_ },
		...more,
	}));
	return dir;
}

const full = {
	AWS_ACCESS_KEY_ID: keys.id,
	AWS_SECRET_ACCESS_KEY: keys.secret,
	AWS_SESSION_TOKEN: keys.token,
};

/* Run a command; its ends are kept, and hold no secret. */
async function run(dir, env, ...args) {
	const child = spawn(process.env.VOICEOTP_PROGRAM, args, {
		cwd: dir,
		env: { PATH: process.env.PATH, ...env },
		stdio: ['ignore', 'pipe', 'pipe'],
	});
	let out = '', err = '';
	child.stdout.on('data', (part) => { out += part; });
	child.stderr.on('data', (part) => { err += part; });
	const code = await new Promise((end) => child.once('close', end));
	fs.appendFileSync(path.join(dir, 'log.1'), out + err);
	for (const secret of [keys.secret, keys.token, keys.id])
		assert.ok(!(out + err).includes(secret), 'a secret was said');
	return { code, out, err };
}

const say = (dir, env, text, ...more) =>
	run(dir, env, 'say', text, '--config', 'voiceotp.yaml', '-o', 'said.wav',
		...more);

/* Seconds of sound that are not silence. */
function heard(dir) {
	const wav = fs.readFileSync(path.join(dir, 'said.wav'));
	let loud = 0;
	for (let i = 44; i + 1 < wav.length; i += 2)
		loud += Math.abs(wav.readInt16LE(i)) > 500;
	return { seconds: (wav.length - 44) / 16000, loud: loud / 8000 };
}

/* The server, until it is ready. */
async function serve(dir) {
	const child = spawn(process.env.VOICEOTP_PROGRAM,
		['serve', '--dev', '--config', 'voiceotp.yaml'], {
			cwd: dir, env: { PATH: process.env.PATH, ...full },
			stdio: ['ignore', 'ignore', 'pipe'],
		});
	let log = '';
	const ended = new Promise((end) => child.once('close', end));
	const port = await new Promise((ready, refuse) => {
		child.stderr.on('data', (part) => {
			log += part;
			fs.appendFileSync(path.join(dir, 'log.1'), part);
			const line = log.split('\n')
				.find((l) => l.includes('"server.ready"'));
			if (line)
				ready(JSON.parse(line).port);
		});
		ended.then(() => refuse(new Error(`the server ended: ${log}`)));
	});
	return { child, ended, url: `http://127.0.0.1:${port}`, log: () => log };
}

const flow = {
	format: 'voiceflow/1', name: 'Amy', start: 'Start', language: 'en-GB',
	limits: { max_steps: 40, max_call_seconds: 110 },
	nodes: [
		{ id: 'Start', type: 'start', on: { api_request: 'Call' } },
		{ id: 'Call', type: 'call',
			config: { to: '{{verification.to}}' },
			on: { answered: 'Say', busy: 'End', no_answer: 'End',
				rejected: 'End', failed: 'End' } },
		{ id: 'Say', type: 'play',
			config: { speech: { kind: 'ssml', voice: 'Polly.Amy',
				ssml: '<speak>Your code is <say-as ' +
					'interpret-as="digits">{{verification.code}}' +
					'</say-as> Goodbye.</speak>' } },
			on: { completed: 'End' } },
		{ id: 'End', type: 'hangup' },
	],
};

const tests = {
	async a_text_is_asked_for_signed_and_heard() {
		const dir = settings('success', {});
		const r = await say(dir, full, 'Hello from "Æther" & sons.');
		assert.equal(r.code, 0, r.err);
		assert.deepEqual(polly.refused, []);
		assert.equal(polly.asked.length, DIGITS + 1);
		assert.deepEqual(polly.asked.at(-1), {
			OutputFormat: 'pcm', SampleRate: '8000', VoiceId: 'Amy',
			Engine: 'standard', LanguageCode: 'en-GB',
			TextType: 'text', Text: 'Hello from "Æther" & sons.',
		});
		assert.deepEqual(polly.asked.slice(0, DIGITS).map((a) => a.Text),
			digitWords.flatMap((w) => [`${w},`, `${w}.`]));
		const { seconds, loud } = heard(dir);
		assert.ok(seconds > 1 && loud > 0.2, `${seconds} s, ${loud} loud`);
	},

	async what_is_fixed_is_rendered_once_and_the_rest_is_not_kept() {
		const dir = settings('success', {});
		const r = await say(dir, full, 'Hello again.');
		assert.equal(r.code, 0, r.err);
		assert.equal(polly.asked.length, 1);
		for (const name of fs.readdirSync(path.join(dir, 'cache')))
			assert.match(name, /^[0-9a-f]{64}\.clip$/);
	},

	async a_style_is_asked_for_in_ssml() {
		const dir = settings('success', {});
		const r = await say(dir, full, '<speak><prosody rate="slow" ' +
			'pitch="+10%">A &amp; B</prosody></speak>');
		assert.equal(r.code, 0, r.err);
		const ask = polly.asked.at(-1);
		assert.equal(ask.TextType, 'ssml');
		assert.match(ask.Text, /^<speak><prosody rate="\d+%" pitch="\+10%">A &amp; B<\/prosody><\/speak>$/);
	},

	async a_neural_voice_is_named_behind_its_name() {
		const dir = settings('neural', {},
			{ voices: { en: 'Polly.Joanna-Neural' } });
		const r = await say(dir, full, 'Hello.');
		assert.equal(r.code, 0, r.err);
		assert.equal(polly.asked.at(-1).VoiceId, 'Joanna');
		assert.equal(polly.asked.at(-1).Engine, 'neural');
		assert.equal(polly.asked.at(-1).LanguageCode, 'en-US');
	},

	async credentials_come_from_a_file_that_only_its_owner_may_read() {
		const dir = settings('file', { credentials_file: 'aws' });
		const file = path.join(dir, 'aws');
		fs.writeFileSync(file, '# ours\n[other]\naws_access_key_id = X\n' +
			`[default]\naws_access_key_id = ${keys.id}\n` +
			`aws_secret_access_key = ${keys.secret}\n` +
			`aws_session_token=${keys.token}\n`, { mode: 0o644 });
		const open = await say(dir, {}, 'Hello.');
		assert.equal(open.code, 1);
		assert.match(open.err, /polly\.credentials_file: aws may be read by others: chmod 600 it/);
		const config = await run(dir, {}, 'check-config', 'voiceotp.yaml');
		assert.equal(config.code, 1);
		fs.chmodSync(file, 0o600);
		const r = await say(dir, {}, 'Hello.');
		assert.equal(r.code, 0, r.err);
		assert.equal(polly.asked.length, DIGITS + 1);
		fs.unlinkSync(file);
	},

	async a_wrong_secret_is_one_clear_sentence() {
		const dir = settings('wrong', {});
		const r = await say(dir,
			{ ...full, AWS_SECRET_ACCESS_KEY: 'wrongwrongwrong' }, 'Hello.');
		assert.equal(r.code, 1);
		assert.equal(r.err, 'voiceotp: Polly.Amy: Amazon answered 403 ' +
			'InvalidSignatureException: The request signature we ' +
			'calculated does not match the signature you provided. ' +
			'Check your AWS Secret Access Key and signing method\n');
		assert.equal(polly.seen, 1);
	},

	async what_was_said_is_not_in_what_is_complained_of() {
		const dir = settings('success', {});
		polly.next = ['quote'];
		const r = await say(dir, full, 'Confidential Bank.');
		/* the call goes on by a voice of this machine */
		assert.equal(r.code, 0, r.err);
		assert.match(r.err, /Amazon answered 400 ValidationException"/);
		assert.ok(!r.err.includes('Confidential'));
	},

	async throttling_is_waited_for_a_little() {
		const dir = settings('success', {});
		polly.next = ['throttle', 'throttle'];
		const r = await say(dir, full, 'Patience.');
		assert.equal(r.code, 0, r.err);
		assert.equal(polly.seen, 3);
		assert.equal(polly.asked.length, 1);
		assert.equal(r.err, '');
	},

	async throttled_for_good_another_voice_speaks_with_a_warning() {
		const dir = settings('success', {});
		polly.next = ['throttle', 'throttle', 'throttle'];
		const r = await say(dir, full, 'Patience again.');
		assert.equal(r.code, 0, r.err);
		assert.equal(polly.seen, 3);
		assert.match(r.err, /voice\.replaced.*Polly\.Amy: Amazon answered 400 ThrottlingException: Rate exceeded/);
		assert.ok(heard(dir).loud > 0.2);
	},

	async at_the_start_there_is_no_other_voice() {
		const dir = settings('start', {});
		polly.next = ['fail', 'fail', 'fail'];
		const r = await say(dir, full, 'Hello.');
		assert.equal(r.code, 1);
		assert.equal(r.err, 'voiceotp: Polly.Amy: Amazon answered 500 ' +
			'ServiceFailureException: Internal failure\n');
	},

	async a_flow_speaks_by_the_voice_that_it_names() {
		const dir = settings('flow', {}, {
			listen: '127.0.0.1:0', voices: { en: 'flite:rms' },
			languages: ['en'], data_dir: 'data',
		});
		const data = path.join(dir, 'data');
		const packaging = path.join(process.env.VOICEOTP_SOURCE, 'packaging');
		fs.cpSync(packaging, data, { recursive: true,
			/* its accounts hold numbers, and what is kept is searched */
			filter: (from) => path.basename(from) !== 'baresip' });
		fs.writeFileSync(path.join(data, 'flows', 'amy.json'),
			JSON.stringify(flow));
		const server = await serve(dir);
		const r = await run(dir, {
			VOICEOTP_URL: server.url,
			VOICEOTP_TOKEN: fs.readFileSync(
				path.join(dir, 'var/dev.token'), 'utf8').trim(),
		}, 'call', '+15555550110', '--flow', 'amy', '--wait');
		server.child.kill('SIGTERM');
		await server.ended;
		assert.match(r.out + r.err, /answered/);
		/* ten digits in two tones and what stands around them: no code */
		const texts = polly.asked.map((a) => a.Text);
		assert.equal(polly.asked.length, DIGITS + 2, texts.join('|'));
		assert.ok(texts.includes('Your code is'));
		assert.ok(texts.every((t) => !/\d/.test(t)), texts.join('|'));
		assert.ok(polly.asked.every((a) => a.VoiceId === 'Amy'));
		assert.ok(!server.log().includes('voice.replaced'));
	},

	async what_is_no_sound_is_not_played() {
		const dir = settings('nosound', {});
		const rows = [
			['html', 'what Amazon answered is not audio/pcm'],
			['odd', 'what Amazon answered is no sound'],
			['empty', 'what Amazon answered is no sound'],
			['silence', 'said nothing'],
			['flood', 'Amazon answered with more than 8388608 bytes'],
		];
		for (const [what, why] of rows) {
			polly.next = [what];
			const r = await say(dir, full, 'Hello.');
			assert.equal(r.code, 1, what);
			assert.equal(r.err, `voiceotp: Polly.Amy: ${why}\n`);
		}
	},

	async a_service_that_hangs_is_given_up_after_ten_seconds() {
		const dir = settings('hang', {});
		polly.next = ['hang'];
		const began = process.hrtime.bigint();
		const r = await say(dir, full, 'Hello.');
		const took = Number(process.hrtime.bigint() - began) / 1e9;
		assert.equal(r.code, 1);
		assert.equal(r.err,
			'voiceotp: Polly.Amy: Amazon did not answer in time\n');
		assert.ok(took > 9.9 && took < 30, `${took} s`);
	},

	async a_service_that_is_not_there_is_said() {
		const dir = settings('gone', { endpoint: 'http://127.0.0.1:1' });
		const r = await say(dir, full, 'Hello.');
		assert.equal(r.code, 1);
		assert.match(r.err, /^voiceotp: Polly\.Amy: Amazon .*connect/i);
	},

	async without_credentials_a_local_voice_speaks_and_says_so_once() {
		const dir = settings('none', {});
		const r = await say(dir, {}, 'Hello.');
		assert.equal(r.code, 0, r.err);
		assert.equal(polly.seen, 0);
		assert.equal(r.err.match(/voice\.replaced/g)?.length, 1);
		assert.match(r.err, /"voice":"Polly\.Amy".*there are no credentials of Amazon's; a voice of this machine speaks in its place/);
		assert.ok(heard(dir).loud > 0.2);
	},

	async half_of_the_credentials_is_an_error() {
		const dir = settings('half', {});
		const r = await say(dir, { AWS_ACCESS_KEY_ID: keys.id }, 'Hello.');
		assert.equal(r.code, 1);
		assert.match(r.err, /aws_secret_access_key is missing/);
	},

	async a_plain_endpoint_elsewhere_is_refused() {
		const dir = settings('plain', { endpoint: 'http://polly.example' });
		const r = await run(dir, {}, 'check-config', 'voiceotp.yaml');
		assert.equal(r.code, 1);
		assert.match(r.err, /polly\.endpoint: must be https:/);
	},
};

let failed = 0;
console.log(`1..${Object.keys(tests).length}`);
for (const [name, test] of Object.entries(tests)) {
	polly = await new PollyServer(keys, path.join(own, 'flite.wav'))
		.start();
	try {
		await test();
		console.log(`ok - ${name}`);
	} catch (e) {
		failed++;
		console.log(`not ok - ${name}\n${e.stack}`);
	}
	polly.stop();
}
process.exit(failed ? 1 : 0);
