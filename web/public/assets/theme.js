// Runs before the first paint, as a file because the content security policy allows no inline script.
;(function () {
  try {
    var choice = JSON.parse(localStorage.getItem('gars.theme'))
    if (choice === 'dark' || choice === 'light') document.documentElement.dataset.theme = choice
  } catch {
    // Storage is refused (private window) or holds something else: the system's theme stands.
  }
})()
