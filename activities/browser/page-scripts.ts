import { VIEWPORT } from './page.ts';

/**
 * Programs that run inside the page. They are text because this code is compiled without the DOM, and they trust
 * nothing there: what they return is bounded and parsed outside.
 */

const SHARED = `
  const clean = (text, most) => String(text ?? '').replace(/\\s+/g, ' ').trim().slice(0, most);
  const labelOf = (field) => clean(
    (field.labels && field.labels[0] && field.labels[0].innerText) || field.getAttribute('aria-label') ||
    field.getAttribute('placeholder') || field.getAttribute('title') || '', 80);
  const place = (element) => {
    const box = element.getBoundingClientRect();
    const left = Math.max(0, box.left), right = Math.min(${VIEWPORT.width}, box.right);
    const top = Math.max(0, box.top), bottom = Math.min(${VIEWPORT.height}, box.bottom);
    if (right - left < 1 || bottom - top < 1) return null;
    if (element.checkVisibility && !element.checkVisibility({ visibilityProperty: true, opacityProperty: true })) return null;
    return [Math.floor(((left + right) / 2) * 1000 / ${VIEWPORT.width}), Math.floor(((top + bottom) / 2) * 1000 / ${VIEWPORT.height})];
  };`;

/** JSON text of what `PageFacts` describes. */
export const PAGE_FACTS_SCRIPT = `(() => {${SHARED}
  const all = (selector) => [...document.querySelectorAll(selector)];
  const address = (url) => String(url ?? '').slice(0, 300);
  const headings = all('h1,h2,h3,h4,h5,h6');
  const links = all('a[href],area[href]');
  const buttons = all('button,input[type=submit],input[type=button],input[type=reset],input[type=image],[role=button],summary');
  const images = all('img').flatMap((image) => {
    const src = address(image.currentSrc || image.src);
    return [
      ...(image.hasAttribute('alt') ? [] : [{ problem: 'no alt', src }]),
      ...(image.complete && image.naturalWidth === 0 && src !== '' ? [{ problem: 'not loaded', src }] : []),
    ];
  });
  const forms = all('form');
  const fieldsOf = (form) => [...form.elements].filter((field) =>
    ['INPUT', 'SELECT', 'TEXTAREA'].includes(field.tagName) && !['hidden', 'submit', 'button', 'reset', 'image'].includes(field.type));
  const insecure = [
    ...(location.protocol === 'https:'
      ? all('img[src],script[src],iframe[src],link[rel=stylesheet][href],video[src],audio[src]')
          .map((element) => element.src || element.href).filter((url) => String(url).startsWith('http:'))
          .slice(0, 20).map((url) => 'mixed content: ' + address(url))
      : []),
    ...(!isSecureContext && document.querySelector('input[type=password]') ? ['password field without https'] : []),
  ];
  const root = document.scrollingElement || document.documentElement;
  return JSON.stringify({
    title: clean(document.title, 200),
    lang: clean(document.documentElement.getAttribute('lang'), 35),
    scroll: [Math.round(root.scrollTop), Math.max(0, Math.round(root.scrollHeight - root.clientHeight))],
    headings: headings.slice(0, 60).map((heading) => ({ level: Number(heading.tagName[1]), text: clean(heading.innerText, 100) })),
    links: links.slice(0, 120).map((link) => ({
      text: clean(link.innerText || link.getAttribute('aria-label') || link.title || (link.querySelector('img') || {}).alt, 80),
      href: address(link.href), place: place(link) })),
    buttons: buttons.slice(0, 60).map((button) => ({
      text: clean(button.innerText || button.value || button.getAttribute('aria-label') || button.title, 80), place: place(button) })),
    forms: forms.slice(0, 20).map((form) => ({
      name: clean(form.getAttribute('aria-label') || form.getAttribute('name') || form.id, 80),
      method: clean(form.getAttribute('method') || 'get', 10).toLowerCase(),
      action: address(form.getAttribute('action') ? new URL(form.getAttribute('action'), document.baseURI).href : location.href),
      fields: fieldsOf(form).slice(0, 30).map((field) => ({
        type: field.tagName === 'SELECT' ? 'select' : field.tagName === 'TEXTAREA' ? 'textarea' : clean(field.type, 20),
        label: labelOf(field), name: clean(field.name || field.id, 60), required: field.required === true,
        options: field.tagName === 'SELECT' ? [...field.options].slice(0, 20).map((option) => clean(option.label, 40)) : [],
        place: place(field) })) })),
    images: images.slice(0, 60),
    insecure,
    totals: { headings: headings.length, links: links.length, buttons: buttons.length, forms: forms.length,
      images: images.length, h1: document.querySelectorAll('h1').length },
  });
})()`;

/** Scrolls the document by a share of the viewport, as Page Down does. */
export const scrollScript = (screensX: number, screensY: number): string =>
  `window.scrollBy({ left: innerWidth * ${screensX}, top: innerHeight * ${screensY}, behavior: 'instant' })`;

/**
 * Chooses an option of a `<select>` as a person would, with the events a page listens for. Gives `{done}` with the
 * option's text, or `{problem}` with what there is to choose from.
 */
export const selectOptionScript = (label: string, option: string): string => `(() => {${SHARED}
  const same = (a, b) => clean(a, 200).toLowerCase() === clean(b, 200).toLowerCase();
  const wanted = ${JSON.stringify(label)}, choice = ${JSON.stringify(option)};
  const lists = [...document.querySelectorAll('select')];
  const names = (list) => [labelOf(list), list.name, list.id].filter(Boolean);
  const list = lists.find((one) => names(one).some((name) => same(name, wanted)));
  if (!list) return { problem: 'no drop-down list is called that; there are: ' +
    (lists.slice(0, 20).map((one) => names(one)[0] || '(no name)').join(', ') || 'none') };
  if (list.disabled) return { problem: 'this list is disabled' };
  const options = [...list.options];
  const found = options.find((one) => same(one.label, choice)) || options.find((one) => same(one.value, choice));
  if (!found) return { problem: 'no such option; there are: ' + options.slice(0, 30).map((one) => clean(one.label, 40)).join(', ') };
  if (found.disabled) return { problem: 'this option is disabled' };
  list.focus();
  if (list.multiple) found.selected = true; else list.value = found.value;
  found.selected = true;
  list.dispatchEvent(new Event('input', { bubbles: true, composed: true }));
  list.dispatchEvent(new Event('change', { bubbles: true }));
  return { done: clean(found.label, 80) };
})()`;
