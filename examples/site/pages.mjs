/** The pages of the site, as text. What a visitor typed is escaped. */

const escape = (text) => String(text).replace(/[&<>"']/g, (letter) => `&#${letter.charCodeAt(0)};`);

const LINKS = [
  ['/', 'Home'],
  ['/products', 'Products'],
  ['/status', 'Status'],
  ['/contact', 'Contact'],
];

const layout = (title, path, email, main, scripts = []) => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(title)} – Harbour Supplies</title>
<link rel="icon" href="/favicon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/site.css">
</head>
<body>
<a class="skip" href="#main">Skip to content</a>
<p class="ribbon">Staging – nothing here is for sale</p>
<header>
<a class="brand" href="/"><img src="/favicon.svg" alt="" width="32" height="32">Harbour Supplies</a>
<nav aria-label="Main">
<ul>
${LINKS.map(([href, text]) => `<li><a href="${href}"${href === path ? ' aria-current="page"' : ''}>${text}</a></li>`).join('\n')}
<li>${email ? `<a href="/account"${path === '/account' ? ' aria-current="page"' : ''}>Account</a>` : `<a href="/login"${path === '/login' ? ' aria-current="page"' : ''}>Sign in</a>`}</li>
</ul>
</nav>
</header>
<main id="main">
${main}
</main>
<footer>
<p>Harbour Supplies is an example. <a href="/delivery-terms">Delivery terms</a></p>
</footer>
<script src="/site.js" defer></script>
${scripts.map((src) => `<script src="${src}" defer></script>`).join('\n')}
</body>
</html>
`;

export const home = (email) =>
  layout(
    'Home',
    '/',
    email,
    `<section class="hero">
<div>
<h1>Everything for small boats</h1>
<p>Rope, lamps and spare parts, packed on the quay and sent the same day.</p>
<p><a class="button" href="/products">See the products</a></p>
</div>
<img src="/boat.svg" width="420" height="260">
</section>
<section class="cards" aria-label="Why here">
<article><h2>On the quay</h2><p>Order before noon and fetch it at the harbour office.</p></article>
<article><h2>Thirty days</h2><p>Send back what does not fit. We pay the way.</p></article>
<article><h2>Asked and answered</h2><p>A sailor answers every message, usually within a day.</p></article>
</section>`,
  );

const GOODS = [
  ['Mooring rope, 12 m', 'rope.svg', 'A coiled rope', '24.00', 'In stock'],
  ['Storm lantern', 'lamp.svg', 'A lantern with a flame', '39.50', 'In stock'],
  ['Mooring rope, 20 m', 'rope.svg', 'A coiled rope', '36.00', 'Two weeks'],
];

export const products = (email) =>
  layout(
    'Products',
    '/products',
    email,
    `<h1>Products</h1>
<p id="stock" role="status">Prices in euros, tax included.</p>
<ul class="goods">
${GOODS.map(
  ([name, image, alt, price, stock]) => `<li>
<img src="/${image}" alt="${alt}" width="120" height="90">
<h2>${name}</h2>
<p class="price">€ ${price}</p>
<p>${stock}</p>
</li>`,
).join('\n')}
</ul>`,
    ['/stock.js'],
  );

export const status = (email) =>
  layout(
    'Status',
    '/status',
    email,
    `<h1>Status</h1>
<table>
<caption>Services of the staging site</caption>
<thead><tr><th scope="col">Service</th><th scope="col">State</th><th scope="col">Since</th></tr></thead>
<tbody>
<tr><th scope="row">Shop</th><td><span class="ok">working</span></td><td>this morning</td></tr>
<tr><th scope="row">Sign-in</th><td><span class="ok">working</span></td><td>this morning</td></tr>
<tr><th scope="row">Messages</th><td><span class="ok">working</span></td><td>yesterday</td></tr>
</tbody>
</table>`,
  );

export const contact = (email, incomplete = false) =>
  layout(
    'Contact',
    '/contact',
    email,
    `<h1>Contact</h1>
<p>Write to us. Every field is needed.</p>
<form name="contact" aria-label="Contact" method="post" action="/contact" data-validate>
<p class="problem" role="alert"${incomplete ? '' : ' hidden'}>Please fill in every field.</p>
<p><label for="name">Your name</label><input id="name" name="name" autocomplete="name" required></p>
<p><label for="email">Your e-mail address</label><input id="email" name="email" type="email" autocomplete="email" required></p>
<p><label for="topic">Topic</label>
<select id="topic" name="topic" required>
<option value="">Please choose</option>
<option value="order">An order</option>
<option value="return">A return</option>
<option value="other">Something else</option>
</select></p>
<p><label for="message">Message</label><textarea id="message" name="message" rows="5" required></textarea></p>
<p><button type="submit">Send message</button></p>
</form>`,
  );

export const sent = (email, form) =>
  layout(
    'Message sent',
    '/contact',
    email,
    `<h1>Thank you, ${escape(form.get('name'))}</h1>
<p role="status">Your message about “${escape(form.get('topic'))}” has arrived. We answer to ${escape(form.get('email'))}.</p>
<p><a href="/">Back to the start</a></p>`,
  );

export const login = (email, demo, failed) =>
  layout(
    'Sign in',
    '/login',
    email,
    `<h1>Sign in</h1>
<p class="hint">On staging, use <code>${demo.email}</code> with the password <code>${demo.password}</code>.</p>
<form name="login" aria-label="Sign in" method="post" action="/login">
<p class="problem" role="alert"${failed ? '' : ' hidden'}>That e-mail address and password do not match.</p>
<p><label for="email">E-mail address</label><input id="email" name="email" type="email" autocomplete="username" required></p>
<p><label for="password">Password</label><input id="password" name="password" type="password" autocomplete="current-password" required></p>
<p><button type="submit">Sign in</button></p>
</form>`,
  );

export const account = (email) =>
  layout(
    'Account',
    '/account',
    email,
    `<h1>Welcome back</h1>
<p role="status">You are signed in as ${escape(email)}.</p>
<h2>Orders</h2>
<p>No orders yet.</p>
<form name="logout" aria-label="Sign out" method="post" action="/logout"><p><button type="submit" class="quiet">Sign out</button></p></form>`,
  );

export const notFound = (email) =>
  layout(
    'Not found',
    '',
    email,
    `<h1>This page is not here</h1>
<p>It may have moved. <a href="/">Back to the start</a></p>`,
  );
