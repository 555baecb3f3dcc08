// Shows the OpenAPI document of this server; nothing is fetched from elsewhere.
(function () {
  "use strict";
  var place = document.getElementById("docs");
  if (!place || !window.SwaggerUIBundle) { return; }
  window.ui = window.SwaggerUIBundle({
    url: place.dataset.document,
    domNode: place,
    deepLinking: true,
    displayOperationId: false,
    defaultModelsExpandDepth: 0,
    docExpansion: "list",
    // The validator badge would send the address of this server to a service elsewhere.
    validatorUrl: null,
    persistAuthorization: false,
    tagsSorter: null
  });
})();
