// fusebox/dashboard/detail/page_body.hpp: the HTML of the page, without its style and its script.
#pragma once
// IWYU pragma: private, include <fusebox/dashboard.hpp>

#include <string_view>

#include <fusebox/detail/macros.hpp>

FUSEBOX_BEGIN_NAMESPACE

namespace detail {

/// Up to the title. The icon is a fuse.
inline constexpr std::string_view dashboard_head = R"html(<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<link rel="icon" href="data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 24 24' fill='none'
 stroke='%233b7be0' stroke-width='2.2' stroke-linecap='round'%3E%3Crect x='5' y='6.5' width='14' height='11' rx='3'/%3E%3Cpath
 d='M1 12h4m14 0h4M8.5 12c1.5-3 2.5-3 3.5 0s2 3 3.5 0'/%3E%3C/svg%3E">
)html";

inline constexpr std::string_view dashboard_body = R"html(
<body>
<a class="skip" href="#rows">Skip to the list</a>
<header class="top">
  <div class="brand">
    <svg viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.8" stroke-linecap="round" aria-hidden="true">
      <rect x="5" y="6.5" width="14" height="11" rx="3"/><path d="M1 12h4m14 0h4M8.5 12c1.5-3 2.5-3 3.5 0s2 3 3.5 0"/></svg>
    <h1 id="title" dir="auto">fusebox</h1>
  </div>
  <p class="verdict" id="verdict" role="status">Asking …</p>
  <div class="tools">
    <span class="soft number" id="age"></span>
    <button type="button" id="pause" aria-pressed="false">Pause</button>
    <button type="button" id="theme">Auto</button>
  </div>
</header>
<p id="trouble" role="alert" hidden></p>
<section class="tiles" id="tiles" aria-label="All policies"></section>
<nav class="views" aria-label="View">
  <button type="button" data-view="list" aria-pressed="true">Policies</button>
  <button type="button" data-view="side" aria-pressed="false">Events</button>
</nav>
<main id="main" data-view="list">
  <section class="panel list" aria-label="Policies">
    <div class="bar">
      <div class="chips" id="kinds" role="group" aria-label="Kinds"></div>
      <div class="search"><input type="search" id="filter" placeholder="Filter by name  ( / )" aria-label="Filter by name"
        autocomplete="off" spellcheck="false"></div>
      <div class="chips" id="tones" role="group" aria-label="States"></div>
    </div>
    <div class="grid" id="grid" role="grid" aria-label="Policies">
      <div class="columns heads" id="heads" role="row">
        <div role="columnheader" data-by="tone"><button type="button">State</button></div>
        <div role="columnheader" data-by="name"><button type="button">Name</button></div>
        <div role="columnheader" data-by="rate" class="right"><button type="button">Calls/s</button></div>
        <div role="columnheader" data-by="failing" class="right"><button type="button">Failing</button></div>
        <div role="columnheader" data-by="rejected" class="right"><button type="button">Rejected/s</button></div>
        <div role="columnheader" class="plain">Last minutes</div>
        <div role="columnheader" class="plain">Now</div>
      </div>
      <div class="rows" id="rows" role="rowgroup" tabindex="0" aria-label="Policies. Arrows move, Enter opens.">
        <div class="canvas" id="canvas" role="presentation"></div>
      </div>
      <p class="empty" id="empty" hidden></p>
    </div>
  </section>
  <aside class="panel side" aria-label="Events">
    <header><h2 id="side-title">Events</h2><button type="button" id="back" hidden>Close</button></header>
    <div class="scroll" id="side" tabindex="0" aria-labelledby="side-title">
      <div id="detail" hidden></div>
      <ol class="events" id="events"></ol>
      <p class="empty" id="no-events" hidden>No events yet.</p>
    </div>
  </aside>
</main>
<noscript>This page needs JavaScript. The numbers are in the health document, too.</noscript>
)html";

}  // namespace detail

FUSEBOX_END_NAMESPACE
