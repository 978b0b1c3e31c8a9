// Runs the npm package http-cache-tests against one base URL and judges the results as the package itself does.
// node scripts/http-cache-tests.mjs PACKAGE_FOLDER BASE_URL [ID ...]
// Prints {"required": [passed, all], "optimal": [...], "check": [...], "failing": {kind: {id: why}}} as JSON.
// Cases for browsers only and those of Surrogate-Control, which only content delivery networks of that draft know, are left out.
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import path from 'node:path'

const [folder, base, ...ids] = process.argv.slice(2)
const load = file => import(pathToFileURL(path.join(folder, file)))
const { default: suites } = await load('tests/index.mjs')
const { runTests, getResults } = await load('client/runner.mjs')
const fetch = createRequire(path.join(folder, 'cli.mjs'))('node-fetch')

const wanted = suites.map(suite => ({
  ...suite,
  tests: suite.tests.filter(test => !test.browser_only && (ids.length === 0 || ids.includes(test.id)))
}))
const cases = new Map(wanted.flatMap(suite => suite.tests).map(test => [test.id, test]))
for (const id of ids) {
  if (!cases.has(id)) throw new Error(`there is no case ${id}`)
  cases.get(id).dump = process.env.DUMP === '1'
}

await runTests(wanted, fetch, false, base)
const results = getResults()

// A case counts only when those that it builds on have passed.
const broken = id => {
  const test = cases.get(id)
  if (!test) return null
  const missing = (test.depends_on || []).find(other => broken(other))
  if (missing) return `needs ${missing}`
  const result = results[id]
  return result === true ? null : result === undefined ? 'did not run' : `${result[0]}: ${result[1]}`
}

const summary = { required: [0, 0], optimal: [0, 0], check: [0, 0], failing: { required: {}, optimal: {}, check: {} } }
for (const [id, test] of cases) {
  const kind = test.kind || 'required'
  const why = broken(id)
  summary[kind][1] += 1
  if (why === null) summary[kind][0] += 1
  else summary.failing[kind][id] = why
}
console.log(JSON.stringify(summary))
