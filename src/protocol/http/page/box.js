// The box where one types: drafts, names completed with Tab, and what was refused.

import { say } from './words.js';

// Nobody means to say a password or a token to all.
const SECRET = /^\s*\/?(login|register|password|unregister|token)\s*[|｜]|^\s*\/(login|register)\b|\bpc_[0-9a-z]{26}\b/i;

export function makeBox(form, { send, names }) {
	const drafts = JSON.parse(sessionStorage.drafts ?? '{}');
	const input = form.querySelector('textarea');
	let here = '';

	const refuse = (why) => {
		form.querySelector('[role=alert]').textContent = why;
		input.ariaInvalid = why ? 'true' : null;
	};

	const changed = () => {
		drafts[here] = input.value || undefined;
		input.rows = Math.min(input.value.split('\n').length, 8);
		refuse('');
	};

	const fill = (text = '') => {
		input.value = text;
		changed();
	};

	/** Without a name to complete, Tab moves on as ever. */
	const complete = () => {
		const { value, selectionStart: end } = input;
		const start = value.slice(0, end).search(/[^\s@]+$/);
		const begun = value.slice(start, end).toLowerCase();
		const found = start < 0 ? undefined : names().find((name) => name.toLowerCase().startsWith(begun));
		if (found) input.setRangeText(start ? `${found} ` : `${found}: `, start, end, 'end');
		changed();
		return found;
	};

	form.onsubmit = (event) => {
		event.preventDefault();
		const text = input.value;
		input.focus();
		if (SECRET.test(text)) {
			refuse(say('secret'));
		} else if (text.trim()) {
			fill();
			send(text);
		}
	};
	input.oninput = changed;
	input.onkeydown = (event) => {
		// While an input method composes, these keys are its own.
		if (event.isComposing || event.keyCode === 229 || event.shiftKey) return;
		if (event.key === 'Enter') form.requestSubmit();
		if (event.key === 'Enter' || (event.key === 'Tab' && complete())) event.preventDefault();
	};
	addEventListener('pagehide', () => { sessionStorage.drafts = JSON.stringify(drafts); });

	return {
		refuse,
		show(key, label) {
			here = key;
			input.placeholder = input.ariaLabel = label;
			fill(drafts[key]);
		},
		/** What was not sent comes back to where it was typed. */
		giveBack(key, text, why) {
			drafts[key] = [text, drafts[key]].filter(Boolean).join('\n');
			if (key === here) fill(drafts[key]);
			refuse(why);
		},
	};
}
