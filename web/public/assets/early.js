// Runs before the first paint, as a file because the content security policy allows no inline script.
;(function () {
  try {
    var choice = JSON.parse(localStorage.getItem('gars.theme'))
    if (choice === 'dark' || choice === 'light') document.documentElement.dataset.theme = choice
  } catch {
    // Storage is refused (private window) or holds something else: the system's theme stands.
  }
  // What the service offers decides what the first paint shows: it is asked for while the scripts load.
  window.garsAbout = fetch('/api/v1/about', { headers: { accept: 'application/json' } })
  window.garsAbout.catch(function (failure) {
    return failure // api/client.ts handles it
  })
})()
