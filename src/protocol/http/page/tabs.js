// All tabs are one user: one leads, and tells the others what it hears. When it is closed, another one does.

export const random = () => `${Date.now()}-${Math.random()}`;

/** Returns how to speak to the other tabs. */
export function join(name, { lead, resign, hear }) {
	const channel = new BroadcastChannel(name);
	channel.onmessage = ({ data }) => hear(data);
	if (navigator.locks) navigator.locks.request(name, () => new Promise(lead)); // until the tab is closed
	else lease(name, lead, resign);
	return (message) => channel.postMessage(message);
}

/** Without https, except on localhost, there are no locks: a tab leads as long as it says so. */
function lease(name, lead, resign) {
	const me = random();
	let leads = false;
	setInterval(() => {
		const [who, until] = (localStorage[name] ?? '').split(' ');
		if (who === me || Date.now() > (until ?? 0)) localStorage[name] = `${me} ${Date.now() + 3000}`;
		if (leads !== (who === me)) (leads ? resign : lead)(); // of two that claim at once, the second one stays
		leads = who === me;
	}, 500);
	addEventListener('pagehide', () => leads && localStorage.removeItem(name));
}
