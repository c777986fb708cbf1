// browser.mjs: a person in Chromium, without a screen. Reads a URL and, where there is one, a user code from standard input, a
// line each. Opens the URL, signs in, consents, and types the user code where one is asked for, until a page asks for nothing;
// prints that page as JSON: title, text, url, and the steps taken.
// Where nobody answers at an address the url is what the address bar shows all the same.
// BROWSER_SAYS_NO in the environment: does not consent.
import { readFileSync } from 'node:fs';
import { chromium } from 'playwright-core';

const [url, userCode] = readFileSync(0, 'utf8').split('\n');
const mostSteps = 12;

// What a page may ask for, by what it shows; the first that fits is done.
const steps = [
  ['sign in', 'input[name=login]', async (page) => {
    await page.fill('input[name=login]', 'alice');
    await page.fill('input[name=password]', 'any');
    await page.click('button[type=submit]');
  }],
  ['refuse', process.env.BROWSER_SAYS_NO ? 'a[href$="/abort"]' : 'none', (page) => page.click('a[href$="/abort"]')],
  ['consent', 'input[name=prompt][value=consent]', (page) => page.click('button[type=submit]')],
  ['type the code', 'input[name=user_code]:not([type=hidden])', async (page) => {
    await page.fill('input[name=user_code]', userCode);
    await page.click('button[type=submit]');
  }],
  ['confirm the code', 'input[name=confirm]', (page) => page.click('button[type=submit]')],
];

async function wanted(page) {
  for (const step of steps) {
    if (await page.locator(step[1]).count()) return step;
  }
  return undefined;
}

async function browse(page) {
  const taken = [];
  let unanswered;
  page.on('requestfailed', (request) => { if (request.isNavigationRequest()) unanswered = request.url(); });
  await page.goto(url);
  for (let step = await wanted(page); step && taken.length < mostSteps; step = await wanted(page)) {
    taken.push(step[0]);
    await Promise.all([page.waitForEvent('load'), step[2](page)]);
  }
  return { title: await page.title(), text: await page.innerText('body'), url: unanswered ?? page.url(), steps: taken };
}

const browser = await chromium.launch({
  executablePath: '/usr/bin/chromium',
  args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync', '--disable-dev-shm-usage'],
});
try {
  const context = await browser.newContext({ ignoreHTTPSErrors: true }); // the server's authority is the tests' own
  process.stdout.write(`${JSON.stringify(await browse(await context.newPage()))}\n`);
} finally {
  await browser.close();
}
