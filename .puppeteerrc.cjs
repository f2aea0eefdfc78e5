/** The browser comes from the system (scripts/setup.mjs finds or installs it), so npm ci never downloads one. */
module.exports = { skipDownload: true };
