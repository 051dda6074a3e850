// The session with the server. The tab that leads listens, and every tab sends its own lines.

import { random } from './tabs.js';
import { language } from './words.js';

const SILENCE_MS = 40_000; // the server sends something every 15 s
const PAUSE_MIN_MS = 500;
const PAUSE_MAX_MS = 30_000;
export const PAGE = 50; // events of a room's history

const sleep = (ms) => new Promise((go) => { setTimeout(go, ms); });
export const parse = (text) => text.split('\n').filter(Boolean).map((line) => JSON.parse(line));
export const refusalIn = (answers) => answers.find(({ event }) => event === 'refused');

export function makeSession(chat, { tell, change, complain }) {
	// The status is connecting, online, offline or left; `last` the number of the last event; `secret` logs the user in.
	const self = { id: null, last: null, status: 'connecting', secret: null, name: '', waiting: [], leads: false };
	let hasEntered = true; // the rooms were joined since events are heard without a gap
	let queue = Promise.resolve();
	let nextPause = PAUSE_MIN_MS;
	let stream = new AbortController();
	let turn = 0;

	const set = (status) => {
		self.status = status;
		if (status !== 'online') stream.abort();
		change();
	};

	const post = async (lines, key, query = '') => {
		const headers = { 'Content-Type': 'text/plain', 'Idempotency-Key': key };
		const response = await fetch(`sessions/${self.id}${query}`, { method: 'POST', headers, body: `${lines.join('\n')}\n` });
		return parse((await response.text()) || '{}');
	};

	/** Sends lines behind all others, as soon as it can. Resolves to the answers, up to the first refusal. */
	const send = (lines, said = {}) => {
		if (said.texts) self.waiting.push(said);
		queue = queue.then(() => sendOnce(lines)).finally(() => {
			self.waiting = self.waiting.filter((it) => it !== said);
		});
		return queue;
	};

	const sendOnce = async (lines) => {
		const key = random();
		for (;;) {
			while (self.status !== 'online') await sleep(100);
			const { id } = self;
			const answers = await post(lines, key).catch(() => []);
			const isLost = answers[0]?.code === 'no-such-session';
			if (answers.length > 0 && !isLost && answers[0].code !== 'in-progress') return answers;
			if (isLost && id === self.id) {
				self.status = 'offline';
				stream.abort();
			}
			await sleep(PAUSE_MIN_MS);
		}
	};

	const lead = async () => {
		turn += 1;
		const mine = turn;
		self.leads = true;
		while (mine === turn && self.status !== 'left') {
			await listen().catch(() => {});
			if (mine !== turn || self.status === 'left') return;
			set('offline');
			const isBack = new Promise((go) => { addEventListener('online', go, { once: true }); });
			await Promise.race([sleep(nextPause * (0.5 + Math.random() / 2)), isBack]);
			nextPause = Math.min(2 * nextPause, PAUSE_MAX_MS);
		}
	};

	const resign = () => {
		turn += 1;
		self.leads = false;
		stream.abort();
	};

	const end = () => {
		fetch(`sessions/${self.id}`, { method: 'DELETE' }).catch(() => {});
		self.id = null;
		set('left');
	};

	const listen = async () => {
		if (!self.id) await arrive();
		stream = new AbortController();
		const headers = self.last === null ? {} : { 'Last-Event-ID': self.last };
		const { status, ok, body } = await fetch(`sessions/${self.id}`, { headers, signal: stream.signal, cache: 'no-store' });
		if (status === 404) self.id = null;
		if (status === 410) {
			self.last = null;
			tell([{ event: 'gap' }]);
		}
		if (status === 404 || status === 410) return listen();
		if (!ok) throw new Error(status);
		const reading = read(body);
		reading.catch(() => {}); // where the rooms cannot be entered
		if (self.last === null) hasEntered = false;
		if (!hasEntered) await enter();
		hasEntered = true;
		nextPause = PAUSE_MIN_MS;
		set('online');
		return reading;
	};

	const arrive = async () => {
		const { name, secret } = self;
		const query = name && !secret ? `?name=${encodeURIComponent(name)}` : '';
		const response = await fetch(`sessions${query}`, { method: 'POST', headers: secret ? { Authorization: secret } : {} });
		const [answer] = parse(await response.text());
		if (response.ok) {
			chat.arrive();
			Object.assign(self, { id: answer.session, last: 0 });
			hasEntered = false;
			return;
		}
		if (response.status > 409) throw new Error(response.status);
		complain(answer);
		if (!name && !secret) {
			set('left');
			throw new Error(response.status);
		}
		// Without the name, or the account, there may be a way in.
		Object.assign(self, { name: '', secret: null });
		await arrive();
	};

	const enter = async () => {
		const lines = chat.rooms.map(({ key, pos }) => `join|${key.slice(1)}|${pos ? `since|${pos}` : `last|${PAGE}`}`);
		if (!chat.places.has('#lobby')) lines.push('leave|lobby');
		const ask = async (...all) => {
			const answers = await post(all, random(), '?skip');
			// On the stream they may come later than what is sent next.
			tell(answers.filter(({ replay }) => replay));
			return answers.filter(({ event, verb }) => event === 'refused' && verb === 'join');
		};
		for (const refusal of await ask(`lang|${language}`, ...lines)) {
			const { code, room, pos } = refusal;
			if (code === 'history-gone') await ask(`join|${room}${pos ? `|since|${pos}` : ''}`);
			else complain(refusal);
		}
	};

	const read = async (body) => {
		const mine = stream;
		const reader = body.pipeThrough(new TextDecoderStream()).getReader();
		for (let rest = ''; ;) {
			const silence = setTimeout(() => mine.abort(), SILENCE_MS);
			const { value, done } = await reader.read().finally(() => clearTimeout(silence));
			if (done) return;
			const blocks = (rest + value).split('\n\n');
			rest = blocks.pop();
			const found = blocks.map((block) => /^id: ?(\d+)\ndata: ?(.*)$/m.exec(block)).filter(Boolean);
			if (found.length > 0) self.last = Number(found.at(-1)[1]);
			tell(found.map(([, , data]) => JSON.parse(data)));
		}
	};

	return Object.assign(self, { set, send, lead, resign, end });
}
